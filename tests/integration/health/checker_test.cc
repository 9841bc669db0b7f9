#include "holdfast/health/checker.h"

#include <gmock/gmock.h>
#include <sys/socket.h>

#include <functional>
#include <optional>
#include <thread>

#include "holdfast/base/socket.h"
#include "holdfast/state/region.h"
#include "support/faults.h"
#include "support/full_queue.h"
#include "support/tcp.h"
#include "support/text_log.h"
#include "support/turning.h"

namespace holdfast::health {
namespace {

using namespace std::chrono_literals;
using state::Health;
using testing::address_of;
using ::testing::HasSubstr;
using testing::listen_any;
using ::testing::Not;
using testing::open_descriptors;
using testing::reserve_closed_port;

// One pool under checks, on a loop of its own.
class CheckedPool {
 public:
  explicit CheckedPool(const std::vector<std::optional<SocketAddress>>& addresses,
                       const HealthConfig& health = quick(), const ConnectConfig& connect = {}) {
    config_.name = "web";
    config_.health = health;
    config_.connect = connect;
    for (const auto& address : addresses) {
      const auto index = static_cast<std::uint16_t>(backends_.size());
      entry(index).weight.set(1);
      backends_.push_back({index, "web-" + std::to_string(index), address});
    }
    make_pool();
    start();
  }

  // As a reload does it.
  void change_to(const HealthConfig& health) {
    config_.health = health;
    make_pool();
    checker_->watch(pools_);
  }

  static HealthConfig quick() {
    HealthConfig config;
    config.interval = 10ms;
    config.timeout = 10s;
    config.rise = 2;
    config.fall = 3;
    return config;
  }

  void start() {
    checker_.emplace(loop, shared(), log.log(), 1U);
    checker_->watch(pools_);
  }
  void stop() { checker_.reset(); }

  [[nodiscard]] bool turn_until(const std::function<bool()>& condition) {
    return testing::turn_until(loop, condition);
  }
  [[nodiscard]] bool comes_to(Health health, std::size_t backend = 0) {
    return turn_until([&] { return entry(backend).current_health() == health; });
  }

  state::SharedState& shared() { return region_.shared(); }
  state::BackendEntry& entry(std::size_t backend = 0) { return shared().backends.at(backend); }
  [[nodiscard]] std::uint64_t transitions(Health to) {
    return entry().transitions.at(static_cast<std::size_t>(to)).get();
  }

  loop::Loop loop;
  testing::TextLog log;

 private:
  void make_pool() {
    pools_ = {std::make_shared<pool::Pool>(config_, std::uint16_t{0}, backends_, shared())};
  }

  state::Region region_ = state::Region::create(1).value();
  PoolConfig config_;
  std::vector<pool::Backend> backends_;
  std::vector<std::shared_ptr<pool::Pool>> pools_;
  std::optional<Checker> checker_;
};

TEST(Checker, settles_an_unknown_backend_with_its_first_check) {
  const auto alive = listen_any();
  const auto dead = reserve_closed_port();
  CheckedPool pool({address_of(alive), address_of(dead)});
  EXPECT_EQ(pool.entry(0).current_health(), Health::unknown);
  ASSERT_TRUE(pool.comes_to(Health::up, 0));
  ASSERT_TRUE(pool.comes_to(Health::down, 1));
  const auto text = pool.log.text();
  EXPECT_THAT(text, HasSubstr("info backend up pool=web backend=web-0 "
                              "reason=\"first check passed\" check_ms="));
  EXPECT_THAT(text, HasSubstr("warning backend down pool=web backend=web-1 "
                              "reason=\"connection refused\" check_ms="));
}

TEST(Checker, takes_a_backend_down_after_fall_failures_and_up_again_after_rise_successes) {
  auto backend = reserve_closed_port();
  const auto address = address_of(backend);
  CheckedPool pool({address});
  pool.entry().health.state = Health::up;  // as if it had been up before
  pool.entry().published_health.set(static_cast<std::uint32_t>(Health::up));

  ASSERT_TRUE(pool.comes_to(Health::down));
  EXPECT_EQ(pool.entry().checks_failed.get(), 3U);
  EXPECT_EQ(pool.entry().checks_passed.get(), 0U);

  ASSERT_EQ(::listen(backend.get(), 128), 0);
  ASSERT_TRUE(pool.comes_to(Health::up));
  EXPECT_EQ(pool.entry().checks_passed.get(), 2U);
  EXPECT_EQ(pool.transitions(Health::down), 1U);
  EXPECT_EQ(pool.transitions(Health::up), 1U);
  EXPECT_GT(pool.entry().changed_at.get(), 0U);
  EXPECT_THAT(pool.log.text(), HasSubstr("reason=\"checks passed\""));
  EXPECT_THAT(pool.log.text(), HasSubstr("up=0/1"));
  EXPECT_THAT(pool.log.text(), HasSubstr("up=1/1"));
  const auto events = pool.shared().events.read();
  ASSERT_EQ(events.size(), 2U);
  EXPECT_EQ(events[0].kind, state::EventKind::backend_down);
  EXPECT_EQ(events[0].text, "pool=web\nbackend=web-0\nreason=connection refused\n");
  EXPECT_EQ(events[1].kind, state::EventKind::backend_up);
  EXPECT_EQ(events[1].text, "pool=web\nbackend=web-0\nreason=checks passed\n");
}

TEST(Checker, says_each_change_once_and_counts_every_check) {
  const auto backend = listen_any();
  CheckedPool pool({address_of(backend)});
  ASSERT_TRUE(pool.turn_until([&] { return pool.entry().checks_passed.get() >= 5; }));
  EXPECT_EQ(pool.transitions(Health::up), 1U);
  const auto text = pool.log.text();
  EXPECT_EQ(text.find("backend up"), text.rfind("backend up"));
  std::uint64_t observed = 0;
  for (const auto& bucket : pool.shared().pools[0].health_check_duration.buckets) {
    observed += bucket.get();
  }
  EXPECT_EQ(observed, pool.entry().checks_passed.get() + pool.entry().checks_failed.get());
}

// scar 34
TEST(Checker, ends_a_check_in_its_own_time_however_long_a_connect_may_take) {
  const testing::FullQueue silent;
  auto health = CheckedPool::quick();
  health.timeout = 50ms;
  ConnectConfig connect;
  connect.timeout = 1h;
  CheckedPool pool({silent.address()}, health, connect);
  ASSERT_TRUE(pool.comes_to(Health::down));
  EXPECT_THAT(pool.log.text(), HasSubstr("reason=timeout"));
  EXPECT_EQ(pool.entry().checks_passed.get(), 0U) << "never up in between";
}

// scar 33
TEST(Checker, leaves_no_socket_behind_however_often_it_checks_a_backend_that_does_not_answer) {
  const testing::FullQueue silent;
  auto health = CheckedPool::quick();
  health.timeout = 10ms;
  CheckedPool pool({silent.address()}, health);
  const auto before = open_descriptors();
  ASSERT_TRUE(pool.turn_until([&] { return pool.entry().checks_failed.get() >= 10; }));
  EXPECT_LE(open_descriptors(), before + 1) << "the check under way";
  pool.stop();
  EXPECT_LE(open_descriptors(), before);
}

// scar 32
TEST(Checker, keeps_a_backend_up_that_resets_every_check_at_once) {
  const auto backend = listen_any();
  CheckedPool pool({address_of(backend)});
  for (std::uint64_t checks = 1; checks <= 5; ++checks) {
    std::thread server([&] { testing::reset(testing::accept_from(backend)); });
    const bool checked =
        pool.turn_until([&] { return pool.entry().checks_passed.get() >= checks; });
    server.join();
    ASSERT_TRUE(checked);
  }
  EXPECT_EQ(pool.entry().checks_failed.get(), 0U);
  EXPECT_EQ(pool.transitions(Health::down), 0U);
}

// scar 30
TEST(Checker, holds_nothing_against_a_backend_when_this_host_is_out_of_ports) {
  const testing::FaultScope scope;
  const auto backend = listen_any();
  // Faults spare the main thread.
  std::thread([&] {
    CheckedPool pool({address_of(backend)});
    testing::faults.connect.calls = 0;
    testing::faults.connect.fail_always(EADDRNOTAVAIL);
    ASSERT_TRUE(pool.turn_until([] { return testing::faults.connect.calls >= 10; }));
    EXPECT_EQ(pool.entry().checks_failed.get(), 0U);
    EXPECT_EQ(pool.entry().current_health(), Health::unknown) << "and so it goes on serving";
    testing::faults.connect.heal();
    ASSERT_TRUE(pool.comes_to(Health::up)) << "checks have gone on";
    const auto text = pool.log.text();
    EXPECT_THAT(text, HasSubstr("warning check inconclusive pool=web backend=web-0 "
                                "reason=\"cannot connect to 127.0.0.1:"));
    EXPECT_THAT(text, HasSubstr(": cannot assign requested address\" suppressed=0"));
    EXPECT_EQ(text.find("inconclusive"), text.rfind("inconclusive")) << "once a minute";
  }).join();
}

TEST(Checker, leaves_alone_what_has_no_address) {
  CheckedPool pool({std::nullopt});
  pool.entry().published_health.set(static_cast<std::uint32_t>(Health::down));
  testing::TurnCounter counter(pool.loop);
  EXPECT_LT(counter.during(50ms), 10);
  EXPECT_EQ(pool.entry().current_health(), Health::down);
  EXPECT_EQ(pool.entry().checks_failed.get(), 0U);
}

TEST(Checker, checks_nobody_when_checks_are_off) {
  const auto backend = listen_any();
  auto health = CheckedPool::quick();
  health.type = CheckType::none;
  CheckedPool pool({address_of(backend)}, health);
  testing::TurnCounter counter(pool.loop);
  EXPECT_LT(counter.during(50ms), 10);
  EXPECT_EQ(pool.entry().current_health(), Health::unknown);
  EXPECT_THAT(pool.log.text(), Not(HasSubstr("backend")));
}

TEST(Checker, takes_no_word_of_an_agent_whose_answer_comes_when_nobody_asks_agents_any_more) {
  const auto backend = listen_any();
  auto health = CheckedPool::quick();
  health.type = CheckType::agent;
  CheckedPool pool({address_of(backend)}, health);
  ASSERT_TRUE(pool.turn_until([&] { return is_ready(backend.get(), true, false); }));
  const auto agent = testing::accept_from(backend);

  pool.change_to(CheckedPool::quick());
  testing::send_all(agent, "drain\n");

  ASSERT_TRUE(pool.turn_until([&] { return pool.entry().checks_passed.get() >= 2; }));
  EXPECT_EQ(pool.entry().agent.current_state(), state::AgentState::ready);
}

TEST(Checker, has_a_backend_begin_anew_that_its_agent_takes_out_of_maintenance) {
  const auto backend = listen_any();
  auto health = CheckedPool::quick();
  health.type = CheckType::agent;
  CheckedPool pool({address_of(backend)}, health);
  const auto came_back_at_after = [&](std::string_view line) {
    const auto checks = pool.entry().checks_passed.get();
    EXPECT_TRUE(pool.turn_until([&] { return is_ready(backend.get(), true, false); }));
    const auto agent = testing::accept_from(backend);
    testing::send_all(agent, line);
    EXPECT_TRUE(pool.turn_until([&] { return pool.entry().checks_passed.get() > checks; }));
    return pool.entry().came_back_at.get();
  };

  EXPECT_EQ(came_back_at_after("drain\n"), 0U);
  EXPECT_EQ(came_back_at_after("ready\n"), 0U) << "it has been at work all the time";
  EXPECT_EQ(came_back_at_after("maint\n"), 0U);
  EXPECT_GT(came_back_at_after("ready\n"), 0U);
}

// scar 35: with checks before, during and after their connect; AddressSanitizer looks on.
TEST(Checker, can_be_replaced_at_any_time_with_checks_in_flight) {
  const auto alive = listen_any();
  const auto dead = reserve_closed_port();
  const testing::FullQueue silent;
  auto health = CheckedPool::quick();
  health.timeout = 10ms;
  CheckedPool pool({address_of(alive), address_of(dead), silent.address()}, health);
  const auto before = open_descriptors();
  for (int i = 0; i < 50; ++i) {
    testing::turn(pool.loop, i % 5);
    const auto checks = pool.entry(1).checks_failed.get();
    ASSERT_TRUE(pool.turn_until([&] { return pool.entry(1).checks_failed.get() > checks; }));
    pool.stop();
    testing::turn(pool.loop, i % 3);
    pool.start();
  }
  pool.stop();
  testing::turn(pool.loop);
  EXPECT_LE(open_descriptors(), before);
}

// scar 39
TEST(Checker, lets_the_loop_sleep_between_checks_while_all_backends_are_down) {
  const auto dead = reserve_closed_port();
  CheckedPool pool({address_of(dead), address_of(dead), address_of(dead)});
  testing::TurnCounter counter(pool.loop);
  const int turns = counter.during(200ms);
  const auto checks = pool.entry(0).checks_failed.get() + pool.entry(1).checks_failed.get() +
                      pool.entry(2).checks_failed.get();
  EXPECT_GT(checks, 3U);
  EXPECT_LE(static_cast<std::uint64_t>(turns), 10 * (checks + 5)) << checks << " checks";
}

}  // namespace
}  // namespace holdfast::health
