#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <thread>
#include <unordered_map>
#include <vector>

#include "holdfast/base/clock.h"
#include "holdfast/base/fd.h"
#include "holdfast/base/result.h"

namespace holdfast::bench {

// So many backends that pass every check and note when each came: one socket on all addresses of
// 127.0.0.0/8, so that a thousand backends take one descriptor and one thread, and as little as can
// be from what is measured. What is sent to them is answered as HTTP.
class CheckedBackends {
 public:
  [[nodiscard]] static Result<std::unique_ptr<CheckedBackends>> start(std::size_t count);
  ~CheckedBackends();
  CheckedBackends(CheckedBackends&&) = delete;

  // Each on an address of its own.
  [[nodiscard]] const std::vector<std::string>& addresses() const { return addresses_; }

  // When checks were accepted. Ends the thread: nothing answers from then on.
  [[nodiscard]] std::vector<TimePoint> stop();

 private:
  CheckedBackends(Fd listener, Fd epoll, std::vector<std::string> addresses);

  void serve();
  void accept_all();
  void answer(int connection);

  Fd listener_;
  Fd epoll_;
  std::vector<std::string> addresses_;
  std::atomic<bool> stopping_ = false;
  // The thread's own while it runs.
  std::unordered_map<int, Fd> connections_;
  std::vector<TimePoint> accepted_;
  std::thread thread_;
};

}  // namespace holdfast::bench
