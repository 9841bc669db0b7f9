#include "holdfast/loop/poll.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <optional>
#include <vector>

#include "support/tcp.h"
#include "support/turning.h"

namespace holdfast::loop {
namespace {

using namespace std::chrono_literals;
using testing::OnReady;
using testing::SocketPair;
using testing::turn;
using testing::turn_until;
using testing::TurnCounter;

constexpr int kFewTurns = 20;  // a spinning loop makes thousands in the time that is watched
constexpr auto kWatched = 50ms;

// Two ends of a TCP connection.
struct Connection {
  Connection() {
    const auto listener = testing::listen_any();
    far = testing::connect_to(testing::address_of(listener));
    near = testing::accept_from(listener);
  }
  Fd near;
  Fd far;
};

// Keeps what a poll was told.
class Told {
 public:
  [[nodiscard]] Poll::Handler& handler() { return handler_; }
  [[nodiscard]] std::size_t times() const { return all.size(); }
  std::vector<Readiness> all;

 private:
  OnReady handler_{[this](Poll&, Readiness ready) { all.push_back(ready); }};
};

constexpr Readiness kReadable{.readable = true};
constexpr Readiness kWritable{.writable = true};
constexpr Readiness kFailed{.failed = true};

TEST(Poll, says_nothing_until_it_is_asked) {
  Loop loop;
  const SocketPair pair;
  testing::send_all(pair.far, "!");
  Told told;
  const Poll poll(loop, pair.near.get(), told.handler());
  turn(loop);
  EXPECT_EQ(told.times(), 0U);
}

TEST(Poll, tells_what_is_asked_for_and_nothing_else) {
  Loop loop;
  const SocketPair pair;
  Told told;
  Poll poll(loop, pair.near.get(), told.handler());
  poll.want(true, false);
  turn(loop, 1);
  EXPECT_EQ(told.times(), 0U) << "writable, but nobody asked";
  poll.want(false, true);
  testing::send_all(pair.far, "!");
  turn(loop, 1);
  ASSERT_EQ(told.times(), 1U);
  EXPECT_EQ(told.all[0], kWritable);
  poll.want(true, true);
  turn(loop, 1);
  ASSERT_EQ(told.times(), 2U);
  EXPECT_EQ(told.all[1], (Readiness{.readable = true, .writable = true}));
}

TEST(Poll, tells_of_the_end_before_which_something_is_unread_and_of_nothing_else) {
  Loop loop;
  Connection connection;
  Told told;
  Poll poll(loop, connection.near.get(), told.handler());
  poll.want_end();
  testing::send_all(connection.far, "unread");
  turn(loop);
  EXPECT_EQ(told.times(), 0U);
  connection.far = Fd();
  ASSERT_TRUE(turn_until(loop, [&] { return told.times() > 0; }));
  EXPECT_EQ(told.all[0], Readiness{});
  EXPECT_EQ(testing::receive(connection.near, 6), "unread");
}

TEST(Poll, repeats_itself_as_long_as_bytes_are_left) {
  Loop loop;
  const SocketPair pair;
  Told told;
  Poll poll(loop, pair.near.get(), told.handler());
  poll.want(true, false);
  testing::send_all(pair.far, "ab");
  turn(loop, 1);
  EXPECT_EQ(testing::receive(pair.near, 1), "a");
  turn(loop, 1);
  EXPECT_EQ(told.times(), 2U);
  EXPECT_EQ(testing::receive(pair.near, 1), "b");
  turn(loop, 1);
  EXPECT_EQ(told.times(), 2U);
}

TEST(Poll, is_silent_once_nothing_is_wanted_and_speaks_when_it_is_again) {
  Loop loop;
  const SocketPair pair;
  testing::send_all(pair.far, "!");
  Told told;
  Poll poll(loop, pair.near.get(), told.handler());
  poll.want(true, false);
  poll.want(false, false);
  turn(loop);
  EXPECT_EQ(told.times(), 0U);
  poll.want(true, false);
  turn(loop, 1);
  EXPECT_EQ(told.all, std::vector<Readiness>{kReadable});
}

TEST(Poll, makes_its_descriptor_non_blocking) {
  Loop loop;
  const SocketPair pair;
  Told told;
  const Poll poll(loop, pair.near.get(), told.handler());
  EXPECT_NE(::fcntl(pair.near.get(), F_GETFL) & O_NONBLOCK, 0);
}

// scar 18: ERR comes together with HUP and with nothing to read or to write.
TEST(Poll, tells_once_of_a_reset_and_lets_the_loop_sleep) {
  Loop loop;
  Connection connection;
  Told told;
  Poll poll(loop, connection.near.get(), told.handler());
  poll.want(true, false);
  testing::reset(std::move(connection.far));
  ASSERT_TRUE(turn_until(loop, [&] { return told.times() > 0; }));
  EXPECT_LT(TurnCounter(loop).during(kWatched), kFewTurns);
  EXPECT_EQ(told.all, std::vector<Readiness>{kFailed});
}

// scar 18
TEST(Poll, lets_the_loop_sleep_after_a_reset_that_nobody_waits_for) {
  Loop loop;
  Connection connection;
  Told told;
  Poll poll(loop, connection.near.get(), told.handler());
  poll.want(true, true);
  poll.want(false, false);
  testing::reset(std::move(connection.far));
  EXPECT_LT(TurnCounter(loop).during(kWatched), kFewTurns);
  EXPECT_EQ(told.times(), 0U);
}

// scar 13: the poll can be asked again after it failed, so that what came before can be read.
TEST(Poll, goes_on_after_a_failure_until_the_bytes_before_it_are_read) {
  Loop loop;
  Connection connection;
  testing::send_all(connection.far, "last words");
  testing::reset(std::move(connection.far));
  std::string got;
  int end = -1;
  OnReady handler([&](Poll& poll, Readiness) {
    char byte = 0;
    const auto size = ::recv(connection.near.get(), &byte, 1, 0);
    if (size == 1) {
      got += byte;
      poll.want(true, false);
    } else {
      end = size == 0 ? 0 : errno;
      poll.want(false, false);
    }
  });
  Poll poll(loop, connection.near.get(), handler);
  poll.want(true, false);
  ASSERT_TRUE(turn_until(loop, [&] { return end != -1; }));
  EXPECT_EQ(got, "last words");
  EXPECT_EQ(end, ECONNRESET) << error_text(end);
}

// scar 23: a pipe whose writer is gone is hung up and not readable.
TEST(Poll, tells_of_a_lone_hangup_as_readable) {
  Loop loop;
  std::array<int, 2> ends{};
  ASSERT_EQ(::pipe2(ends.data(), O_CLOEXEC), 0);
  const Fd read_end(ends[0]);
  Fd write_end(ends[1]);
  std::optional<ssize_t> got;
  OnReady handler([&](Poll& poll, Readiness ready) {
    EXPECT_EQ(ready, kReadable);
    char byte = 0;
    got = ::read(read_end.get(), &byte, 1);
    poll.want(false, false);
  });
  Poll poll(loop, read_end.get(), handler);
  poll.want(true, false);
  write_end.reset();
  ASSERT_TRUE(turn_until(loop, [&] { return got.has_value(); }));
  EXPECT_EQ(got, 0);
}

// scar 19: epoll knows open files, not numbers. With a shared descriptor table, somebody else
// always holds a duplicate of what we close.
TEST(Poll, takes_its_interest_back_though_a_duplicate_stays_open) {
  Loop loop;
  SocketPair pair;
  Told told;
  std::optional<Poll> poll;
  poll.emplace(loop, pair.near.get(), told.handler());
  poll->want(true, false);
  turn(loop);
  const Fd duplicate(::fcntl(pair.near.get(), F_DUPFD_CLOEXEC, 0));
  poll.reset();
  pair.near.reset();
  testing::send_all(pair.far, "!");
  EXPECT_LT(TurnCounter(loop).during(kWatched), kFewTurns);
  EXPECT_EQ(told.times(), 0U);
}

// scar 20: both sockets are ready in one turn; whoever is told first closes the other's, and a new
// socket gets its number.
TEST(Poll, never_tells_the_new_owner_of_a_number_what_was_meant_for_the_old) {
  Loop loop;
  std::array<SocketPair, 2> pairs;
  SocketPair fresh;
  Told told_fresh;
  std::optional<Poll> poll_fresh;
  std::array<std::optional<Poll>, 2> polls;
  int calls = 0;
  const auto replace = [&](std::size_t victim) {
    if (++calls > 1) {
      return;
    }
    const int number = pairs.at(victim).near.get();
    polls.at(victim).reset();
    pairs.at(victim).near.reset();
    ASSERT_EQ(::dup3(fresh.near.get(), number, O_CLOEXEC), number);
    pairs.at(victim).near = Fd(number);
    poll_fresh.emplace(loop, number, told_fresh.handler());
    poll_fresh->want(true, false);
  };
  OnReady first([&](Poll& poll, Readiness) {
    poll.want(false, false);
    replace(1);
  });
  OnReady second([&](Poll& poll, Readiness) {
    poll.want(false, false);
    replace(0);
  });
  polls[0].emplace(loop, pairs[0].near.get(), first);
  polls[1].emplace(loop, pairs[1].near.get(), second);
  for (std::size_t i = 0; i < 2; ++i) {
    polls.at(i)->want(true, false);
    testing::send_all(pairs.at(i).far, "!");
  }
  turn(loop);
  EXPECT_EQ(calls, 1) << "the other one's poll is gone";
  EXPECT_EQ(told_fresh.times(), 0U);
  testing::send_all(fresh.far, "!");
  turn(loop, 1);
  EXPECT_EQ(told_fresh.all, std::vector<Readiness>{kReadable}) << "its own event still comes";
}

// scar 20
TEST(Poll, stays_right_while_numbers_are_used_over_and_over) {
  Loop loop;
  for (int i = 0; i < 500; ++i) {
    SocketPair pair;
    Told told;
    Poll poll(loop, pair.near.get(), told.handler());
    poll.want(true, false);
    turn(loop, 1);
    ASSERT_EQ(told.times(), 0U) << i;
    if (i % 2 == 0) {  // half of them go with an event on the way
      testing::send_all(pair.far, "!");
    }
  }
}

// scar 21
TEST(Poll, may_be_destroyed_and_its_descriptor_closed_in_its_own_callback) {
  Loop loop;
  SocketPair pair;
  testing::send_all(pair.far, "!");
  int calls = 0;
  std::optional<Poll> poll;
  OnReady handler([&](Poll&, Readiness) {
    poll.reset();
    pair.near.reset();
    ++calls;
  });
  poll.emplace(loop, pair.near.get(), handler);
  poll->want(true, true);
  turn(loop);
  EXPECT_EQ(calls, 1);
}

// scar 21: after a failure libuv has stopped the poll before it calls.
TEST(Poll, may_be_destroyed_when_it_is_told_of_a_reset) {
  Loop loop;
  Connection connection;
  std::optional<Poll> poll;
  OnReady handler([&](Poll&, Readiness) {
    poll.reset();
    connection.near.reset();
  });
  poll.emplace(loop, connection.near.get(), handler);
  poll->want(true, false);
  testing::reset(std::move(connection.far));
  EXPECT_TRUE(turn_until(loop, [&] { return !poll.has_value(); }));
}

TEST(Poll, refuses_what_cannot_be_polled) {
  Loop loop;
  Told told;
  const Fd file(::open("/proc/self/exe", O_RDONLY | O_CLOEXEC));
  ASSERT_TRUE(file.is_open());
  EXPECT_DEATH(Poll(loop, file.get(), told.handler()), "cannot be polled");
}

}  // namespace
}  // namespace holdfast::loop
