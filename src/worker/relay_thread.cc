#include "worker/relay_thread.h"

#include <pthread.h>

namespace holdfast::worker {
namespace {

constexpr auto kHeartbeatInterval = std::chrono::milliseconds(500);

}  // namespace

RelayThread::RelayThread(const relay::RelayOptions& options, state::SharedState& shared,
                         std::span<state::ConnectionRecord> records, Log& log)
    : mailbox_(loop_),
      relay_(loop_, options, shared, records, log),
      heartbeat_(loop_, [&state = shared.per_thread[options.thread]] {
        state.heartbeat.set(static_cast<std::uint64_t>(to_nanoseconds(Clock::now())));
      }) {
  shared.per_thread[options.thread].heartbeat.set(
      static_cast<std::uint64_t>(to_nanoseconds(Clock::now())));
  heartbeat_.start_every(kHeartbeatInterval);
}

void RelayThread::start() {
  thread_ = std::thread([this] { loop_.run(); });
  pthread_setname_np(thread_.native_handle(), "relay");
}

RelayThread::~RelayThread() {
  if (thread_.joinable()) {
    mailbox_.post([this] {
      relay_.close_all();
      loop_.stop();
    });
    thread_.join();
  }
}

void RelayThread::stop_accepting() {
  mailbox_.post([this] { relay_.stop_accepting(); });
}

void RelayThread::close_all() {
  mailbox_.post([this] { relay_.close_all(); });
}

}  // namespace holdfast::worker
