#pragma once

#include <atomic>

namespace holdfast::testing {

// System calls that fail to order: the test programs are linked with --wrap, so that the
// balancer's own calls come here first; those of the test's main thread never fail. While
// `remaining` is above 0 a call fails with `code` and takes one off; below 0 every call fails.
struct Fault {
  std::atomic<int> remaining{0};
  std::atomic<int> code{0};
  std::atomic<int> calls{0};  // all of them, failed or not

  void fail(int times, int with) {
    code = with;
    remaining = times;
  }
  void fail_always(int with) { fail(-1, with); }
  void heal() { remaining = 0; }
};

struct Faults {
  Fault splice;
  Fault pipe2;
  Fault accept4;
  Fault connect;
  std::atomic<bool> short_tcp_info{false};  // TCP_INFO, getsockopt(2), as an old kernel answers it
};
extern Faults faults;

// Heals everything at the end of a test.
struct FaultScope {
  FaultScope() = default;
  FaultScope(const FaultScope&) = delete;
  FaultScope& operator=(const FaultScope&) = delete;
  ~FaultScope() {
    for (auto* fault : {&faults.splice, &faults.pipe2, &faults.accept4, &faults.connect}) {
      fault->heal();
    }
    faults.short_tcp_info = false;
  }
};

}  // namespace holdfast::testing
