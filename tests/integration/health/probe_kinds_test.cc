// Checks that say something over their connection, against backends that the test plays itself.

#include <gmock/gmock.h>
#include <sys/socket.h>

#include <atomic>
#include <thread>

#include "holdfast/base/socket.h"
#include "support/check.h"
#include "support/full_queue.h"
#include "support/tcp.h"
#include "support/turning.h"

namespace holdfast::health {
namespace {

using namespace std::chrono_literals;
using testing::accept_from;
using testing::address_of;
using testing::Check;
using testing::check_of;
using testing::Ending;
using testing::listen_any;
using testing::open_descriptors;
using testing::open_descriptors_beside_loops;
using testing::turn;
using testing::turn_until;
using Verdict = ProbeResult::Verdict;

HealthConfig ping() {
  auto config = check_of(CheckType::send_expect);
  config.send = "PING\r\n";
  config.expect = "+PONG";
  return config;
}

TEST(ProbeSendExpect, passes_when_the_backend_answers_what_is_expected) {
  const auto backend = listen_any();
  Check check(address_of(backend), ping());
  const auto server = accept_from(backend);
  EXPECT_EQ(check.asked(server, 6), "PING\r\n");
  testing::send_all(server, "+PO");
  turn(check.loop);
  EXPECT_FALSE(check.has_reported());
  testing::send_all(server, "NG\r\n");
  EXPECT_EQ(check.result().verdict, Verdict::passed);
  EXPECT_EQ(testing::ending_of(server), Ending::fin);
}

TEST(ProbeSendExpect, fails_with_another_answer_and_still_ends_in_order) {
  const auto backend = listen_any();
  Check check(address_of(backend), ping());
  const auto server = accept_from(backend);
  EXPECT_EQ(check.asked(server, 6), "PING\r\n");
  testing::send_all(server, "-LOADING\r\n");
  testing::finish_sending(server);
  const auto result = check.result();
  EXPECT_EQ(result.verdict, Verdict::failed);
  EXPECT_EQ(result.reason, "closed after it answered '-LOADING..'");
  EXPECT_EQ(testing::ending_of(server), Ending::fin);
}

TEST(ProbeSendExpect, is_told_at_once_that_there_is_more_than_it_looks_at) {
  const auto backend = listen_any();
  auto config = ping();
  config.limit = 16;
  Check check(address_of(backend), config);
  const auto server = accept_from(backend);
  EXPECT_EQ(check.asked(server, 6), "PING\r\n");
  testing::send_all(server, std::string(100'000, 'x'));
  EXPECT_THAT(check.result().reason, ::testing::HasSubstr("in 16 bytes not what is expected"));
  turn(check.loop, 100);
  EXPECT_EQ(testing::ending_of(server), Ending::fin) << "the rest was read, so that nothing resets";
}

TEST(ProbeSendExpect, takes_a_reset_for_a_failure) {
  const auto backend = listen_any();
  Check check(address_of(backend), ping());
  auto server = accept_from(backend);
  EXPECT_EQ(check.asked(server, 6), "PING\r\n");
  testing::reset(std::move(server));
  const auto result = check.result();
  EXPECT_EQ(result.verdict, Verdict::failed);
  EXPECT_EQ(result.reason, "connection reset by peer");
}

// scar 32: the answer and the reset arrive together, as data and an error at once.
TEST(ProbeSendExpect, hears_an_answer_that_is_followed_by_a_reset) {
  const auto backend = listen_any();
  auto config = ping();
  config.send.clear();
  Check check(address_of(backend), config);
  {
    auto server = accept_from(backend);
    testing::send_all(server, "+PONG\r\n");
    testing::reset(std::move(server));
  }
  EXPECT_EQ(check.result().verdict, Verdict::passed);
}

TEST(ProbeSendExpect, is_told_of_a_reset_that_came_before_anybody_looked) {
  const auto backend = listen_any();
  Check check(address_of(backend), ping());
  testing::reset(accept_from(backend));
  const auto result = check.result();
  EXPECT_EQ(result.verdict, Verdict::failed);
  EXPECT_EQ(result.reason, "connection reset by peer");
}

// scar 34: the limit holds for connect and answer together, however many bytes drip in.
TEST(ProbeSendExpect, fails_in_time_though_a_backend_never_falls_silent) {
  const auto backend = listen_any();
  auto config = ping();
  config.timeout = 100ms;
  Check check(address_of(backend), config);
  const auto server = accept_from(backend);
  testing::send_all(server, ".");
  loop::Timer drip(check.loop, [&] {
    static_cast<void>(::send(server.get(), ".", 1, MSG_NOSIGNAL | MSG_DONTWAIT));
  });
  drip.start_every(5ms);
  const auto result = check.result();
  EXPECT_EQ(result.verdict, Verdict::failed);
  EXPECT_THAT(result.reason, ::testing::StartsWith("timeout after it answered '."));
  EXPECT_GE(result.took, 100ms);
}

// After a pause of the process, timers come before what the sockets have to say.
TEST(ProbeSendExpect, hears_an_answer_that_came_while_nobody_looked) {
  const auto backend = listen_any();
  auto config = ping();
  config.timeout = 20ms;
  Check check(address_of(backend), config);
  const auto server = accept_from(backend);
  testing::send_all(server, "+PONG\r\n");
  std::this_thread::sleep_for(50ms);
  EXPECT_EQ(check.result().verdict, Verdict::passed);
}

TEST(ProbeHttp, asks_and_passes_by_the_status) {
  const auto backend = listen_any();
  Check check(address_of(backend), check_of(CheckType::http));
  const auto server = accept_from(backend);
  EXPECT_THAT(check.asked(server, 80),
              ::testing::StartsWith("GET / HTTP/1.1\r\nHost: 10.0.0.1:80\r\n"));
  testing::send_all(server, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello");
  EXPECT_EQ(check.result().verdict, Verdict::passed);
}

// A FIN before the end of the answer is a client that left, to a server that keeps a log.
TEST(ProbeHttp, ends_after_the_server_has) {
  const auto backend = listen_any();
  Check check(address_of(backend), check_of(CheckType::http));
  const auto server = accept_from(backend);
  static_cast<void>(check.asked(server, 80));
  testing::send_all(server, "HTTP/1.1 503 Busy\r\n\r\n");
  EXPECT_EQ(check.result().reason, "answered HTTP status 503");
  turn(check.loop);
  EXPECT_FALSE(is_ready(server.get(), true, false)) << "no FIN yet";
  testing::send_all(server, "the rest");
  testing::finish_sending(server);
  turn(check.loop);
  EXPECT_EQ(testing::ending_of(server), Ending::fin);
}

TEST(ProbeHttp, lets_go_of_a_server_that_never_ends) {
  const auto backend = listen_any();
  auto config = check_of(CheckType::http);
  config.timeout = 50ms;
  Check check(address_of(backend), config);
  const auto server = accept_from(backend);
  const auto before = open_descriptors();
  testing::send_all(server, "HTTP/1.1 200 OK\r\n\r\n");
  EXPECT_EQ(check.result().verdict, Verdict::passed);
  EXPECT_TRUE(turn_until(check.loop, [&] { return open_descriptors() < before; }));
}

TEST(ProbeAgent, hands_on_what_the_agent_says) {
  const auto backend = listen_any();
  Check check(address_of(backend), check_of(CheckType::agent));
  const auto server = accept_from(backend);
  testing::send_all(server, "down 20% #too hot\n");
  const auto result = check.result();
  EXPECT_EQ(result.verdict, Verdict::failed);
  EXPECT_EQ(result.reason, "agent says down: too hot");
  ASSERT_TRUE(result.agent);
  EXPECT_EQ(result.agent->weight_percent, 20U);
  EXPECT_EQ(testing::ending_of(server), Ending::fin);
}

TEST(Probe, is_inconclusive_without_the_certificates_it_is_to_verify_with) {
  loop::Loop loop;
  std::optional<ProbeResult> result;
  Probe probe(loop, std::make_shared<const CheckPlan>(CheckPlan{.config = {}, .trouble = "no ca"}),
              [&](const ProbeResult& its) { result = its; });
  EXPECT_FALSE(result);
  ASSERT_TRUE(turn_until(loop, [&] { return result.has_value(); }));
  EXPECT_EQ(result->verdict, Verdict::inconclusive);
  EXPECT_EQ(result->reason, "no ca");
}

// scar 35
TEST(ProbeOfEveryType, leaves_nothing_when_it_is_destroyed_at_any_stage) {
  const testing::FullQueue silent;
  const auto backend = listen_any();
  const auto before = open_descriptors_beside_loops();
  for (const auto type : {CheckType::http, CheckType::send_expect, CheckType::agent}) {
    auto config = check_of(type);
    config.expect = "never";
    for (int stage = 0; stage < 4; ++stage) {
      Check check(stage == 0 ? silent.address() : address_of(backend), config);
      Fd server;
      if (stage > 0) {
        server = accept_from(backend);
        turn(check.loop, stage);
      }
      if (stage > 1) {
        testing::send_all(server, "HTTP/1.1 ");
        turn(check.loop);
      }
      check.destroy();
      turn(check.loop);
    }
  }
  EXPECT_EQ(open_descriptors(), before);
}

// scar 21
TEST(ProbeOfEveryType, may_be_destroyed_in_its_report) {
  const auto backend = listen_any();
  for (const auto type : {CheckType::http, CheckType::send_expect, CheckType::agent}) {
    auto config = check_of(type);
    config.expect = "up";
    for (const auto* answer : {"up\n", "HTTP/1.1 200 OK\r\n\r\n", ""}) {
      loop::Loop loop;
      std::optional<Probe> probe;
      probe.emplace(loop,
                    std::make_shared<const CheckPlan>(
                        CheckPlan{.config = config, .address = address_of(backend)}),
                    [&](const ProbeResult&) { probe.reset(); });
      const auto server = accept_from(backend);
      testing::send_all(server, answer);
      testing::finish_sending(server);
      EXPECT_TRUE(turn_until(loop, [&] { return !probe.has_value(); }));
    }
  }
}

}  // namespace
}  // namespace holdfast::health
