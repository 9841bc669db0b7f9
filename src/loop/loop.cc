#include "holdfast/loop/loop.h"

#include <cassert>
#include <cstdio>
#include <cstdlib>

namespace holdfast::loop {

Loop::Loop() : thread_(std::this_thread::get_id()) {
  const int error = uv_loop_init(&loop_);
  if (error != 0) {
    // Out of descriptors or memory before anything runs: nothing can be served.
    std::fprintf(stderr, "holdfast: cannot make an event loop: %s\n", uv_strerror(error));
    std::abort();
  }
}

Loop::~Loop() {
  thread_ = std::this_thread::get_id();
  while (uv_run(&loop_, UV_RUN_NOWAIT) != 0) {
  }
  const int error = uv_loop_close(&loop_);
  assert(error == 0 && "a handle outlived its loop");
  static_cast<void>(error);
}

void Loop::run() {
  thread_ = std::this_thread::get_id();
  uv_run(&loop_, UV_RUN_DEFAULT);
}

void Loop::stop() {
  assert_on_thread();
  uv_stop(&loop_);
}

TimePoint Loop::now() const {
  // uv_hrtime and std::chrono::steady_clock both read CLOCK_MONOTONIC.
  return TimePoint(std::chrono::milliseconds(uv_now(&loop_)));
}

void Loop::assert_on_thread() const {
  assert(thread_ == std::this_thread::get_id());
}

}  // namespace holdfast::loop
