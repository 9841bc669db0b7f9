#include "holdfast/service/notify.h"

#include <systemd/sd-daemon.h>

#include <algorithm>
#include <string>

namespace holdfast::service {
namespace {

constexpr int kKeepEnvironment = 0;

void send(const std::string& message) {
  sd_notify(kKeepEnvironment, message.c_str());
}

// A message is lines of NAME=value, so a line break in the text would begin another assignment.
std::string status_line(std::string_view status) {
  std::string line = "STATUS=" + std::string(status);
  std::replace(line.begin(), line.end(), '\n', ' ');
  return line;
}

}  // namespace

void notify_ready(std::string_view status) {
  send("READY=1\n" + status_line(status));
}

void notify_main_process(pid_t pid) {
  send("MAINPID=" + std::to_string(pid));
}

void notify_adopted(pid_t pid) {
  send("MAINPID=" + std::to_string(pid) + "\nREADY=1");
}

void notify_stopping(std::string_view status) {
  send("STOPPING=1\n" + status_line(status));
}

void notify_status(std::string_view status) {
  send(status_line(status));
}

void notify_watchdog() {
  send("WATCHDOG=1");
}

}  // namespace holdfast::service
