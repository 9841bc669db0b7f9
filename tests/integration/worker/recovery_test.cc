#include "worker/recovery.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <latch>

#include "holdfast/base/socket.h"
#include "support/tcp.h"
#include "support/text_log.h"
#include "worker/relay_thread.h"

namespace holdfast::worker {
namespace {

using state::ConnectionRecord;
using state::ConnectionState;

// Everything that is open now, which isn't the dead worker's.
std::set<int> open_now() {
  std::set<int> found;
  for (int fd = 0; fd < 1024; ++fd) {
    if (::fcntl(fd, F_GETFD) >= 0) {
      found.insert(fd);
    }
  }
  return found;
}

bool is_open(int fd) {
  return ::fcntl(fd, F_GETFD) >= 0;
}

class Recovery : public ::testing::Test {
 protected:
  Recovery() {
    auto& socket = shared_.sockets[0];
    socket.address = testing::address_of(front_);
    socket.listener = 7;
    socket.fd = front_.get();
    socket.publish();
    shared_.sockets_touched.set(1);
    for (std::size_t listener = 0; listener < 8; ++listener) {
      shared_.listeners[listener].name = state::to_name("l" + std::to_string(listener));
    }
    shared_.listeners_touched.set(8);
    shared_.backends[0].name = state::to_name("b");
    shared_.backends_touched.set(1);
    shared_.threads.set(2);
  }

  // Of a thread; its descriptors are the test's.
  ConnectionRecord& add_record(unsigned thread, ConnectionState state) {
    auto& touched = shared_.per_thread[thread].touched;
    auto& record = region_.records(thread)[touched.get()];
    touched.set(touched.get() + 1);
    record = ConnectionRecord{};
    record.state = state;
    record.listener = 7;
    record.backend = 0;
    return record;
  }

  state::Region region_ = state::Region::create(8).value();
  state::SharedState& shared_ = region_.shared();
  Fd front_ = testing::listen_any();
};

TEST_F(Recovery, keeps_what_records_name_and_closes_what_nobody_does) {
  const auto kept = open_now();
  auto client = testing::connect_to(testing::address_of(front_));
  auto accepted = testing::accept_from(front_);
  auto& record = add_record(1, ConnectionState::relaying);
  record.client_fd = accepted.get();
  record.backend_fd = client.get();
  Fd stray(::open("/dev/null", O_RDONLY));
  Fd of_closing(::open("/dev/null", O_RDONLY));
  add_record(0, ConnectionState::closing).client_fd = of_closing.get();

  const auto inheritance = take_over(region_, kept);
  EXPECT_TRUE(is_open(accepted.get()));
  EXPECT_TRUE(is_open(client.get()));
  EXPECT_TRUE(is_open(front_.get()));
  EXPECT_FALSE(is_open(stray.release()));
  EXPECT_FALSE(is_open(of_closing.release()));
  EXPECT_EQ(inheritance.connections, 1U);
  EXPECT_EQ(inheritance.threads, 2U);
  EXPECT_TRUE(inheritance.unrecorded.empty());
}

TEST_F(Recovery, closes_what_nobody_names_when_no_descriptor_is_free) {
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &before), 0);
  const auto kept = open_now();
  const rlimit few{64, before.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &few), 0);
  int last = -1;
  for (int stray = 0; stray >= 0; stray = ::open("/dev/null", O_RDONLY | O_CLOEXEC)) {
    last = stray;
  }
  static_cast<void>(take_over(region_, kept));
  EXPECT_FALSE(is_open(last));
  EXPECT_EQ(open_now(), kept);
  EXPECT_EQ(::setrlimit(RLIMIT_NOFILE, &before), 0);
}

TEST_F(Recovery, adopts_a_client_that_was_accepted_and_not_recorded) {
  auto kept = open_now();
  const auto client = testing::connect_to(testing::address_of(front_));
  kept.insert(client.get());
  const int accepted = testing::accept_from(front_).release();

  const auto inheritance = take_over(region_, kept);
  ASSERT_EQ(inheritance.unrecorded.size(), 1U);
  EXPECT_EQ(inheritance.unrecorded[0].listener, 7);
  EXPECT_EQ(inheritance.unrecorded[0].socket.get(), accepted);
}

TEST_F(Recovery, closes_a_client_that_was_being_closed) {
  auto kept = open_now();
  const auto client = testing::connect_to(testing::address_of(front_));
  kept.insert(client.get());
  const int accepted = testing::accept_from(front_).release();
  tune_stream(accepted);

  EXPECT_TRUE(take_over(region_, kept).unrecorded.empty());
  EXPECT_FALSE(is_open(accepted));
}

TEST_F(Recovery, makes_a_socket_anew_that_was_recorded_and_never_listened) {
  const auto kept = open_now();
  auto bound = bind_to(testing::address_of(front_).with_port(0), false).value();
  auto& silent = shared_.sockets[1];
  silent.address = testing::address_of(bound);
  silent.fd = bound.get();
  silent.publish();
  shared_.sockets_touched.set(2);

  static_cast<void>(take_over(region_, kept));
  EXPECT_FALSE(silent.is_used());
  EXPECT_FALSE(is_open(bound.release()));
  EXPECT_TRUE(shared_.sockets[0].is_used());
}

TEST_F(Recovery, adopts_no_socket_that_we_connected) {
  auto kept = open_now();
  const auto elsewhere = testing::listen_any();
  kept.insert(elsewhere.get());
  const int connected = testing::connect_to(testing::address_of(elsewhere)).release();

  EXPECT_TRUE(take_over(region_, kept).unrecorded.empty());
  EXPECT_FALSE(is_open(connected));
}

TEST_F(Recovery, counts_anew_what_records_tell) {
  const auto kept = open_now();
  shared_.connections.set(99);
  shared_.backends[0].active.set(99);
  shared_.per_thread[0].listeners[7].connections.set(10);
  for (const auto state : {ConnectionState::relaying, ConnectionState::relaying,
                           ConnectionState::connecting, ConnectionState::closing}) {
    add_record(0, state);
  }
  static_cast<void>(take_over(region_, kept));
  EXPECT_EQ(shared_.connections.get(), 3U);
  EXPECT_EQ(shared_.backends[0].active.get(), 2U) << "a connect is begun again";
  EXPECT_EQ(shared_.per_thread[0].listeners[7].closed.get(), 7U);
}

TEST_F(Recovery, gives_up_a_connection_that_a_second_worker_crashed_of) {
  const auto kept = open_now();
  auto& record = add_record(1, ConnectionState::relaying);
  for (unsigned crash = 1; crash <= 2; ++crash) {
    shared_.per_thread[1].handling.set(1);
    shared_.supervision.fatal_thread.set(1);
    EXPECT_EQ(take_over(region_, kept).quarantined, crash - 1);
    EXPECT_EQ(shared_.supervision.fatal_thread.get(), state::kNoThread);
  }
  EXPECT_EQ(record.state, ConnectionState::closing);
  EXPECT_EQ(shared_.supervision.quarantined.get(), 1U);
  const auto events = shared_.events.read();
  ASSERT_EQ(events.size(), 1U);
  EXPECT_EQ(events[0].kind, state::EventKind::connection_quarantined);
  EXPECT_EQ(events[0].text, "connection=0\nthread=1\nlistener=l7\nbackend=b\n");
}

TEST_F(Recovery, suspects_nobody_when_the_worker_was_killed) {
  const auto kept = open_now();
  auto& record = add_record(1, ConnectionState::relaying);
  for (int i = 0; i < 5; ++i) {
    shared_.per_thread[1].handling.set(1);
    EXPECT_EQ(take_over(region_, kept).quarantined, 0U);
  }
  EXPECT_EQ(record.crashes, 0);
}

TEST_F(Recovery, believes_no_number_that_a_broken_worker_left) {
  const auto kept = open_now();
  auto& record = add_record(1, ConnectionState::relaying);
  record.client_fd = 1'000'000;
  record.backend = 60'000;
  record.listener = 60'000;
  shared_.per_thread[1].handling.set(123'456);
  shared_.per_thread[1].touched.set(4'000'000);
  shared_.supervision.fatal_thread.set(5'000);
  EXPECT_EQ(take_over(region_, kept).quarantined, 0U);
}

// scar 29
TEST_F(Recovery, closes_a_connection_that_cannot_go_on_and_goes_on_with_the_others) {
  struct Line {
    Fd client;
    Fd server;
    ConnectionRecord* record;
  };
  const auto back = testing::listen_any();
  auto kept = open_now();
  std::vector<Line> lines;
  for (int i = 0; i < 3; ++i) {
    auto client = testing::connect_to(testing::address_of(front_));
    auto& record = add_record(0, ConnectionState::relaying);
    shared_.per_thread[0].listeners[7].connections.add(1);
    record.active_at = to_nanoseconds(Clock::now());
    record.client_fd = testing::accept_from(front_).release();
    record.backend_fd = testing::connect_to(testing::address_of(back)).release();
    lines.push_back({std::move(client), testing::accept_from(back), &record});
    kept.insert(lines.back().client.get());
    kept.insert(lines.back().server.get());
  }
  auto& lost = lines[1];
  testing::send_all(lost.client, "taken");
  char taken[5];
  ASSERT_EQ(::recv(lost.record->client_fd, taken, sizeof taken, MSG_WAITALL), 5);
  lost.record->to_backend.in_copy = true;
  EXPECT_EQ(take_over(region_, kept).connections, 3U);

  testing::TextLog log;
  PoolConfig config;
  config.name = "web";
  const auto pool = std::make_shared<pool::Pool>(
      config, std::uint16_t{0},
      std::vector<pool::Backend>{{std::uint16_t{0}, "b", testing::address_of(back)}}, shared_);
  RelayThread thread({.thread = 0, .limits = {.max_connections = 8, .max_pipes = 4}}, shared_,
                     region_.records(0), log.log());
  thread.configure({.index = 7,
                    .name = "l7",
                    .pool = pool,
                    .idle_timeout = std::chrono::hours(1),
                    .half_close_timeout = std::chrono::hours(1)});
  std::latch recovered(1);
  thread.recover({}, recovered);
  thread.start();
  recovered.wait();

  EXPECT_EQ(testing::ending_of(lost.client), testing::Ending::reset);
  EXPECT_EQ(testing::ending_of(lost.server), testing::Ending::reset);
  for (const auto* line : {&lines[0], &lines[2]}) {
    testing::send_all(line->client, "hello");
    EXPECT_EQ(testing::receive(line->server, 5), "hello");
  }
  const auto& counters = shared_.per_thread[0];
  EXPECT_EQ(counters.lost.get(), 1U);
  EXPECT_EQ(counters.recovered.get(), 2U);
  EXPECT_EQ(shared_.connections.get(), 2U);
  EXPECT_EQ(shared_.backends[0].active.get(), 2U);
  EXPECT_EQ(counters.listeners[7].connections.get() - counters.listeners[7].closed.get(), 2U);
}

}  // namespace
}  // namespace holdfast::worker
