#include "support/turning.h"

#include <gtest/gtest.h>
#include <sys/socket.h>

#include <array>

#include "support/tcp.h"

namespace holdfast::testing {

bool turn_until(loop::Loop& loop, const std::function<bool()>& condition) {
  const auto end = Clock::now() + std::chrono::seconds(30);
  loop::Timer look(loop, [&] {
    if (condition() || Clock::now() > end) {
      loop.stop();
    }
  });
  look.start_every(std::chrono::milliseconds(1));
  loop.run();
  return condition();
}

void turn(loop::Loop& loop, int times) {
  for (int i = 0; i < times; ++i) {
    uv_run(loop.raw(), UV_RUN_NOWAIT);
  }
}

std::size_t open_descriptors_beside_loops() {
  { const loop::Loop first; }
  return open_descriptors();
}

TurnCounter::TurnCounter(loop::Loop& loop) : loop_(loop), handle_(new uv_check_t) {
  uv_check_init(loop.raw(), handle_.get());
  handle_->data = this;
  uv_check_start(handle_.get(),
                 [](uv_check_t* handle) { ++static_cast<TurnCounter*>(handle->data)->turns_; });
  uv_unref(reinterpret_cast<uv_handle_t*>(handle_.get()));
}

int TurnCounter::during(Duration span) {
  const int before = turns_;
  loop::Timer end(loop_, [this] { loop_.stop(); });
  end.start_once(span);
  loop_.run();
  return turns_ - before;
}

SocketPair::SocketPair() {
  std::array<int, 2> ends{};
  EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()), 0);
  near = Fd(ends[0]);
  far = Fd(ends[1]);
}

}  // namespace holdfast::testing
