#include "holdfast/takeover/oom_score.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>

namespace holdfast::takeover {
namespace {

constexpr const char* kFile = "/proc/self/oom_score_adj";
constexpr int kLowest = -1000;
constexpr int kHighest = 1000;
constexpr int kAboveGuardian = 100;

void write_score(int score) {
  const int file = ::open(kFile, O_WRONLY | O_CLOEXEC);
  if (file < 0) {
    return;
  }
  char text[8];
  const int length = std::snprintf(text, sizeof text, "%d", std::clamp(score, kLowest, kHighest));
  [[maybe_unused]] const auto written = ::write(file, text, static_cast<std::size_t>(length));
  ::close(file);
}

// What the worker may have written there is checked where it is used.
int noted_score(const state::SharedState& shared) {
  return static_cast<int>(std::min(shared.supervision.oom_score.get(), 2000U)) + kLowest;
}

}  // namespace

void note_oom_score(state::SharedState& shared) {
  char text[8] = {};
  const int file = ::open(kFile, O_RDONLY | O_CLOEXEC);
  if (file >= 0) {
    [[maybe_unused]] const auto got = ::read(file, text, sizeof text - 1);
    ::close(file);
  }
  shared.supervision.oom_score.set(
      static_cast<std::uint32_t>(static_cast<int>(std::strtol(text, nullptr, 10)) - kLowest));
}

void set_guardian_oom_score(const state::SharedState& shared) {
  write_score(noted_score(shared));
}

void set_worker_oom_score(const state::SharedState& shared) {
  write_score(noted_score(shared) + kAboveGuardian);
}

}  // namespace holdfast::takeover
