#pragma once

#include <sys/types.h>

#include <filesystem>
#include <optional>
#include <vector>

namespace holdfast::bench {

// A balancer's processes, however many generations there are: they stay in the process group that
// their first one began. As proc(5) shows them; a zombie counts as gone.
class ProcessGroup {
 public:
  explicit ProcessGroup(pid_t id) : id_(id) {}

  [[nodiscard]] std::vector<pid_t> members() const;
  [[nodiscard]] std::vector<pid_t> children_of(pid_t parent) const;
  // To each of its members by itself.
  void send_signal(int number) const;

 private:
  pid_t id_;
};

[[nodiscard]] std::optional<pid_t> read_pid_file(const std::filesystem::path& file);

}  // namespace holdfast::bench
