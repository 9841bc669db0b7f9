#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "cli/child_process.h"

namespace holdfast::bench {

struct Backend {
  std::string name;
  std::string address;
};

// What is balanced under one address.
struct Service {
  std::string name;
  std::vector<Backend> backends;
  std::string listen = {};  // filled in by Balancer
};

// All that a contender's configuration and command depend on.
struct Site {
  enum class Mode : std::uint8_t {
    foreground,  // as little around the process that works as can be
    service,     // as the distribution runs it: with a master process, reloads and upgrades
  };

  std::vector<Service> services;
  std::filesystem::path directory;  // for its files
  Mode mode = Mode::foreground;
  unsigned connect_timeout = 1;  // seconds
  bool control_socket = false;   // holdfast's for its commands, HAProxy's for its runtime API
  bool quick_checks = true;      // every 200 ms; else as each documentation has it, and
                                 // connections that fail take a backend out as well
  bool replay = false;           // holdfast's
  std::string drained = {};      // a backend that nginx's configuration has as `down`

  [[nodiscard]] std::filesystem::path pid_file() const { return directory / "balancer.pid"; }
  [[nodiscard]] std::filesystem::path socket() const { return directory / "control.sock"; }
};

// A balancer to be compared: how it is configured (shared/configurations.cc) and run.
struct Contender {
  std::string name;     // as in tables and charts
  std::string program;  // path of the binary
  std::string version;

  std::string (*configuration)(const Site& site);
  cli::ChildProcess::Command (*command)(const std::string& program,
                                        const std::filesystem::path& configuration,
                                        Site::Mode mode);
  // As a service it goes into the background and leaves its number in the pid file.
  bool daemonizes = false;
};

// Those that are installed. For each of the others a line on standard error says so.
[[nodiscard]] std::vector<Contender> find_contenders(const std::string& holdfast_program);

}  // namespace holdfast::bench
