#include "shared/process_group.h"

#include <csignal>
#include <cstdio>
#include <fstream>
#include <sstream>
#include <string>

namespace holdfast::bench {
namespace {

struct Status {
  char state = 'Z';
  pid_t parent = 0;
  pid_t group = 0;
};

// Nothing when the process is gone.
std::optional<Status> read_status(pid_t pid) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/stat");
  std::string line;
  std::getline(file, line);
  // The fields from the third on come after the name, which may hold anything.
  const auto name_end = line.rfind(')');
  if (name_end == std::string::npos) {
    return std::nullopt;
  }
  Status status;
  std::istringstream(line.substr(name_end + 1)) >> status.state >> status.parent >> status.group;
  return status;
}

template <class Condition>
std::vector<pid_t> living(Condition condition) {
  std::vector<pid_t> found;
  for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
    const auto name = entry.path().filename().string();
    if (name.find_first_not_of("0123456789") != std::string::npos) {
      continue;
    }
    const auto status = read_status(std::stoi(name));
    if (status && status->state != 'Z' && condition(*status)) {
      found.push_back(std::stoi(name));
    }
  }
  return found;
}

}  // namespace

std::vector<pid_t> ProcessGroup::members() const {
  return living([this](const Status& status) { return status.group == id_; });
}

std::vector<pid_t> ProcessGroup::children_of(pid_t parent) const {
  return living(
      [=, this](const Status& status) { return status.group == id_ && status.parent == parent; });
}

void ProcessGroup::send_signal(int number) const {
  for (const auto pid : members()) {
    ::kill(pid, number);
  }
}

std::optional<pid_t> read_pid_file(const std::filesystem::path& file) {
  std::ifstream stream(file);
  pid_t pid = 0;
  return stream >> pid && pid > 0 ? std::optional(pid) : std::nullopt;
}

}  // namespace holdfast::bench
