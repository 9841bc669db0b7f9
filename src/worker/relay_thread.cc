#include "worker/relay_thread.h"

#include <pthread.h>

#include "worker/crash_report.h"

namespace holdfast::worker {
namespace {

constexpr auto kHeartbeatInterval = std::chrono::milliseconds(500);

}  // namespace

RelayThread::RelayThread(const relay::RelayOptions& options, state::SharedState& shared,
                         std::span<state::ConnectionRecord> records, Log& log)
    : index_(options.thread),
      state_(shared.per_thread[options.thread]),
      mailbox_(loop_),
      relay_(loop_, options, shared, records, log),
      heartbeat_(loop_, [this] { beat(); }) {
  beat();
  heartbeat_.start_every(kHeartbeatInterval);
}

void RelayThread::beat() {
  state_.heartbeat.set(static_cast<std::uint64_t>(to_nanoseconds(Clock::now())));
}

void RelayThread::recover(std::vector<relay::AcceptedClient> unrecorded, std::latch& done) {
  // The message is copied on its way (std::function), which descriptors can't be.
  auto clients = std::make_shared<std::vector<relay::AcceptedClient>>(std::move(unrecorded));
  mailbox_.post([this, clients, &done] {
    relay_.recover(std::move(*clients));
    done.count_down();
  });
}

void RelayThread::start() {
  thread_ = std::thread([this] {
    report_crashes_of_thread(index_);
    state_.tid.set(static_cast<std::uint32_t>(::gettid()));
    loop_.run();
  });
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
  state_.heartbeat.set(0);  // it isn't silent, it is gone
}

void RelayThread::post(std::function<void(relay::Relay&)> message) {
  mailbox_.post([this, message = std::move(message)] { message(relay_); });
}

void RelayThread::halt() {
  mailbox_.post([this] { loop_.stop(); });
  thread_.join();
}

void RelayThread::stop_accepting() {
  mailbox_.post([this] { relay_.stop_accepting(); });
}

}  // namespace holdfast::worker
