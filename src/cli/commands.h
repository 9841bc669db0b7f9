#pragma once

#include <chrono>
#include <string>

#include "holdfast/config/config.h"

namespace holdfast::cli {

// The subcommands: one file each. Every function takes what the command line said, does the work
// and returns the process's exit code. Data goes to standard output, messages to standard error.
enum ExitCode : int {
  kFine = 0,
  kFailed = 1,  // invalid configuration, or the work failed
  kUsage = 2,   // the command line itself is wrong
  kNobody = 3,  // no instance answers
};

struct RunOptions {
  std::string config_file;
  bool guardian = true;  // without one the worker runs alone, for debuggers
  int take_over = -1;    // the region of an instance whose guardian died, as a descriptor
};
int run(const RunOptions& options);

// What a running instance is told over its control socket.
struct ControlOptions {
  std::string socket = kDefaultSocket;
};
int reload(const ControlOptions& options);
int upgrade(const ControlOptions& options);

// Said by an instance to a new build, which looks whether it could take over: from the shared
// memory and the configuration, as descriptors. Changes nothing.
struct RehearseOptions {
  int region = -1;
  int config = -1;
};
int rehearse(const RehearseOptions& options);

// Said by the systemd unit before it stops the guardian, as root: a restart leaves the worker.
struct LeaveOptions {
  int main_pid = 0;
};
int leave(const LeaveOptions& options);

struct CheckOptions {
  std::string config_file;
};
int check(const CheckOptions& options);

struct InstanceOptions {
  std::string listen = "127.0.0.1:0";
  std::string name = "instance";
};
int instance(const InstanceOptions& options);

struct DemoOptions {
  std::chrono::milliseconds duration = std::chrono::seconds(16);
  double rate = 500;  // requests a second
  bool keep = false;
};
int demo(const DemoOptions& options);

// "holdfast 1.2.3"
[[nodiscard]] std::string version_text();
int version();

}  // namespace holdfast::cli
