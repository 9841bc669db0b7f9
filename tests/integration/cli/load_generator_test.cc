#include "cli/load_generator.h"

#include <gmock/gmock.h>
#include <sys/socket.h>

#include "integration/cli/responder_thread.h"

namespace holdfast::cli {
namespace {

using namespace std::chrono_literals;
using testing::AllOf;
using testing::Each;
using testing::Field;
using testing::SizeIs;

auto ended_as(Outcome outcome) {
  return Field(&FinishedRequest::outcome, outcome);
}

class LoadGeneratorTest : public testing::Test {
 protected:
  std::vector<FinishedRequest> run(LoadOptions options) {
    options.target = reservation_.address();
    std::vector<FinishedRequest> finished;
    loop::Loop loop;
    auto generator = LoadGenerator::make(
        loop, options, [&](const FinishedRequest& request) { finished.push_back(request); },
        [&] { loop.stop(); });
    EXPECT_TRUE(generator);
    begin_ = Clock::now();
    (*generator)->start(begin_);
    loop.run();
    return finished;
  }

  PortReservation reservation_ = PortReservation::make().value();
  TimePoint begin_;
};

TEST_F(LoadGeneratorTest, sends_each_request_when_it_is_due) {
  const ResponderThread responder(reservation_.address());

  const auto finished = run({.rate = 1000, .duration = 100ms});

  ASSERT_THAT(finished, SizeIs(100));
  EXPECT_THAT(finished,
              Each(AllOf(ended_as(Outcome::answered), Field(&FinishedRequest::instance, "web-1"))));
  std::vector<Duration> due;
  for (const auto& request : finished) {
    EXPECT_LE(request.intended, request.started);
    EXPECT_LE(request.started, request.finished);
    due.push_back(request.intended - begin_);
  }
  std::sort(due.begin(), due.end());
  EXPECT_EQ(due.front(), 0ms);
  EXPECT_EQ(due.back(), 99ms);
}

TEST_F(LoadGeneratorTest, calls_a_port_without_listener_refused) {
  EXPECT_THAT(run({.rate = 1000, .duration = 5ms}),
              AllOf(SizeIs(5), Each(ended_as(Outcome::refused))));
}

// A listener that never accepts: the kernel does the handshake, and nobody answers.
TEST_F(LoadGeneratorTest, goes_on_sending_while_nobody_answers_and_times_out) {
  const auto listener = listen_on(reservation_.address(), false);

  const auto finished = run({.rate = 1000, .duration = 20ms, .timeout = 1s});

  ASSERT_THAT(finished, AllOf(SizeIs(20), Each(ended_as(Outcome::timed_out))));
  EXPECT_GE(finished.front().latency(), 1s);
  EXPECT_LT(finished.back().started, finished.front().finished);
}

TEST_F(LoadGeneratorTest, counts_what_is_too_much_in_flight_as_not_sent) {
  const auto listener = listen_on(reservation_.address(), false);

  const auto finished = run({.rate = 1000, .duration = 10ms, .timeout = 1s, .max_in_flight = 3});

  ASSERT_THAT(finished, SizeIs(10));
  EXPECT_EQ(std::count_if(finished.begin(), finished.end(),
                          [](const auto& request) { return request.outcome == Outcome::not_sent; }),
            7);
}

// Closes every connection it accepts, with or without a reset.
class Hangup {
 public:
  Hangup(const SocketAddress& address, bool reset) : listener_(listen_on(address, false).value()) {
    thread_ = std::thread([this, reset] {
      while (true) {
        const Fd socket(::accept(listener_.get(), nullptr, nullptr));
        if (!socket.is_open() && errno != EAGAIN) {
          return;
        }
        if (socket.is_open()) {
          char request[256];
          EXPECT_GT(::recv(socket.get(), request, sizeof request, 0), 0);
          if (reset) {
            reset_on_close(socket.get());
          }
        }
      }
    });
  }
  Hangup(Hangup&&) = delete;
  ~Hangup() {
    ::shutdown(listener_.get(), SHUT_RDWR);
    thread_.join();
  }

 private:
  Fd listener_;
  std::thread thread_;
};

TEST_F(LoadGeneratorTest, tells_a_reset_from_an_early_end) {
  {
    const Hangup hangup(reservation_.address(), true);
    EXPECT_THAT(run({.rate = 1000, .duration = 5ms}),
                AllOf(SizeIs(5), Each(ended_as(Outcome::reset))));
  }
  const Hangup hangup(reservation_.address(), false);
  EXPECT_THAT(run({.rate = 1000, .duration = 5ms}),
              AllOf(SizeIs(5), Each(ended_as(Outcome::ended_early))));
}

TEST_F(LoadGeneratorTest, counts_latency_from_when_a_request_was_due) {
  const ResponderThread responder(reservation_.address());
  loop::Loop loop;
  std::vector<FinishedRequest> finished;
  auto generator = LoadGenerator::make(
      loop, {.target = reservation_.address(), .rate = 100, .duration = 10ms},
      [&](const FinishedRequest& request) { finished.push_back(request); }, [&] { loop.stop(); });
  ASSERT_TRUE(generator);

  (*generator)->start(Clock::now() - 5s);
  loop.run();

  ASSERT_THAT(finished, SizeIs(1));
  EXPECT_GE(finished[0].latency(), 5s);
  EXPECT_LT(finished[0].finished - finished[0].started, 5s);
}

TEST_F(LoadGeneratorTest, is_done_at_once_when_nothing_is_due) {
  EXPECT_THAT(run({.rate = 1, .duration = 0ms}), SizeIs(0));
}

TEST_F(LoadGeneratorTest, stops_sending_when_told_to) {
  const ResponderThread responder(reservation_.address());
  loop::Loop loop;
  int finished = 0;
  LoadGenerator* borrowed = nullptr;
  auto generator = LoadGenerator::make(
      loop, {.target = reservation_.address(), .rate = 1000, .duration = 1h},
      [&](const FinishedRequest&) {
        if (++finished == 10) {
          borrowed->stop();
        }
      },
      [&] { loop.stop(); });
  ASSERT_TRUE(generator);
  borrowed = generator->get();

  borrowed->start(Clock::now());
  loop.run();

  EXPECT_GE(finished, 10);
}

TEST_F(LoadGeneratorTest, sends_what_is_due_until_the_end_it_is_given_and_no_more) {
  const ResponderThread responder(reservation_.address());
  loop::Loop loop;
  int finished = 0;
  auto generator = LoadGenerator::make(
      loop, {.target = reservation_.address(), .rate = 1000, .duration = 1h},
      [&](const FinishedRequest&) { ++finished; }, [&] { loop.stop(); });
  ASSERT_TRUE(generator);

  (*generator)->start(Clock::now());
  (*generator)->end_after(50ms);
  loop.run();

  EXPECT_EQ(finished, 50);
}

TEST(LoadGenerator, refuses_a_target_that_is_not_loopback) {
  loop::Loop loop;
  for (const auto* target : {"192.0.2.1:80", "[2001:db8::1]:80", "0.0.0.0:80", "unix:/run/a"}) {
    const auto address = SocketAddress::from(Endpoint::parse(target).value()).value();
    EXPECT_FALSE(LoadGenerator::make(loop, {.target = address}, {}, {})) << target;
  }
  for (const auto* target : {"127.0.0.1:80", "127.9.9.9:80", "[::1]:80"}) {
    const auto address = SocketAddress::from(Endpoint::parse(target).value()).value();
    EXPECT_TRUE(LoadGenerator::make(loop, {.target = address}, {}, {})) << target;
  }
}

}  // namespace
}  // namespace holdfast::cli
