#include "support/test_balancer.h"

#include <spdlog/sinks/ostream_sink.h>

#include <csignal>

namespace holdfast::testing {
namespace {

PoolConfig pool_config(const TestBalancer::Options& options) {
  PoolConfig config;
  config.name = "test";
  config.connect.timeout = options.connect_timeout;
  config.connect.attempts = options.attempts;
  config.connect.total = options.connect_total;
  config.connect.hedge_after = options.hedge_after;
  config.passive.is_on = options.is_ejecting;
  config.replay.up_to = options.replay_up_to;
  config.queue.size = options.queue;
  config.queue.timeout = std::chrono::minutes(5);
  config.health.type = CheckType::none;
  return config;
}

}  // namespace

TestBalancer::TestBalancer(const Options& options)
    : region_(state::Region::create(options.max_connections).value()),
      log_text_(std::make_unique<std::ostringstream>()),
      log_(std::make_unique<Log>(std::make_shared<spdlog::sinks::ostream_sink_mt>(*log_text_))) {
  ::signal(SIGPIPE, SIG_IGN);
  std::vector<pool::Backend> backends;
  for (const auto& address : options.backends) {
    const auto index = static_cast<std::uint16_t>(backends.size());
    auto& entry = region_.shared().backends[index];
    entry.name = state::to_name("backend-" + std::to_string(index));
    entry.weight.set(1);
    backends.push_back({.index = index,
                        .name = "backend-" + std::to_string(index),
                        .address = address,
                        .max_connections = options.places});
  }
  pool_ = std::make_shared<pool::Pool>(pool_config(options), std::uint16_t{0}, std::move(backends),
                                       region_.shared());
  thread_ = std::make_unique<worker::RelayThread>(
      relay::RelayOptions{.thread = 0,
                          .limits = {.max_connections = options.max_connections,
                                     .max_pipes = options.max_pipes,
                                     .connection_log = options.connection_log}},
      region_.shared(), region_.records(0), *log_);
  for (std::uint16_t index = 0; index < options.listeners; ++index) {
    const auto any = SocketAddress::from(*Endpoint::parse("127.0.0.1:0")).value();
    thread_->configure({.index = index,
                        .name = "front-" + std::to_string(index),
                        .pool = pool_,
                        .idle_timeout = options.idle_timeout,
                        .half_close_timeout = options.half_close_timeout});
    auto socket = listen_on(any, true).value();
    addresses_.push_back(address_of(socket));
    thread_->listen(index, socket.release());
  }
  thread_->start();
}

TestBalancer::~TestBalancer() {
  thread_.reset();
}

std::string TestBalancer::stop_and_read_log() {
  thread_.reset();
  return log_text_->str();
}

std::uint64_t TestBalancer::closed(state::CloseCause cause) const {
  std::uint64_t sum = 0;
  for (const auto& backend : pool_->backends()) {
    sum += counters().backends[backend.index].closed[static_cast<std::size_t>(cause)].get();
  }
  return sum;
}

std::uint64_t TestBalancer::connect_failures(state::ConnectFailure reason) const {
  std::uint64_t sum = 0;
  for (const auto& backend : pool_->backends()) {
    const auto place = static_cast<std::size_t>(reason);
    sum += counters().backends[backend.index].connect_failures[place].get();
  }
  return sum;
}

void TestBalancer::close_backend(const relay::BackendClosing& closing) {
  thread_->post([closing](relay::Relay& relay) { relay.close_backend(closing); });
}

void TestBalancer::set_health(std::size_t backend, state::Health health) {
  region_.shared().backends[backend].published_health.set(static_cast<std::uint32_t>(health));
}

}  // namespace holdfast::testing
