#include "holdfast/base/fault.h"

#ifdef HOLDFAST_FAULTS

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <iterator>
#include <string_view>

namespace holdfast::fault {
namespace {

constexpr std::array kNames = {
#define HOLDFAST_FAULT_NAME(name) std::string_view(#name),
    HOLDFAST_FAULT_POINTS(HOLDFAST_FAULT_NAME)
#undef HOLDFAST_FAULT_NAME
};

// What a test may ask for; its tests/e2e/support/faults.py has the same numbers.
enum class Action : std::uint32_t { none, segv, abort, kill, stop, spin };

constexpr std::uint32_t kAlways = 0xffff'ffff;

// One for each point, in their order. The test writes the name, `action` and `left`.
struct Entry {
  char name[48];
  std::uint32_t action;
  std::uint32_t left;    // passages up to the one that it happens at; 0: none; kAlways: each
  std::uint32_t passed;  // over all processes
  std::uint32_t fired;
};
static_assert(sizeof(Entry) == 64);

std::atomic_ref<std::uint32_t> shared(std::uint32_t& value) {
  return std::atomic_ref(value);
}

Entry* entries = nullptr;

[[noreturn]] void refuse(const char* why) {
  std::fprintf(stderr, "holdfast: fault file: %s\n", why);
  ::_exit(3);
}

// Before main(), so that guardian and workers share the mapping, and without a descriptor that
// lasts: a guardian may have none that its workers don't know of.
__attribute__((constructor)) void map_file() {
  const char* path = std::getenv("HOLDFAST_FAULT_FILE");
  if (path == nullptr) {
    return;
  }
  const int file = ::open(path, O_RDWR | O_CLOEXEC);
  constexpr std::size_t kSize = sizeof(Entry) * kNames.size();
  if (file < 0 || ::lseek(file, 0, SEEK_END) != static_cast<off_t>(kSize)) {
    refuse("cannot be opened, or is not as long as the list of points");
  }
  void* address = ::mmap(nullptr, kSize, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
  ::close(file);
  if (address == MAP_FAILED) {
    refuse("cannot be mapped");
  }
  entries = static_cast<Entry*>(address);
  for (std::size_t index = 0; index < kNames.size(); ++index) {
    if (kNames[index] != entries[index].name) {
      refuse("names other points than this program has");
    }
  }
}

// Whether this passage is the one.
bool strikes(Entry& entry) {
  auto left = shared(entry.left).load();
  while (left != 0 && left != kAlways &&
         !shared(entry.left).compare_exchange_weak(left, left - 1)) {
  }
  return left == 1 || left == kAlways;
}

void carry_out(Entry& entry) {
  switch (static_cast<Action>(shared(entry.action).load())) {
    case Action::none:
      return;
    case Action::segv:
      std::raise(SIGSEGV);
      return;
    case Action::abort:
      std::abort();
    case Action::kill:
      ::kill(::getpid(), SIGKILL);
      return;
    case Action::stop:
      std::raise(SIGSTOP);
      return;
    case Action::spin:
      while (static_cast<Action>(shared(entry.action).load()) == Action::spin) {
      }
      return;
  }
}

}  // namespace

void pass(Point point) {
  if (entries == nullptr) {
    return;
  }
  const int code = errno;
  auto& entry = entries[static_cast<std::size_t>(point)];
  shared(entry.passed).fetch_add(1);
  if (strikes(entry)) {
    shared(entry.fired).fetch_add(1);
    carry_out(entry);
  }
  errno = code;
}

bool is_poisonous(Point point, int socket) {
  if (entries == nullptr || shared(entries[static_cast<std::size_t>(point)].left).load() == 0) {
    return false;
  }
  constexpr std::string_view kPoison = "poison";
  char bytes[kPoison.size()];
  const auto seen = ::recv(socket, bytes, sizeof bytes, MSG_PEEK | MSG_DONTWAIT);
  return seen == static_cast<ssize_t>(sizeof bytes) &&
         std::string_view(bytes, sizeof bytes) == kPoison;
}

void check(bool holds, const char* what) {
  if (!holds) {
    std::fprintf(stderr, "Assertion `%s' failed\n", what);
    std::abort();
  }
}

}  // namespace holdfast::fault

#endif
