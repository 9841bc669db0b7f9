#include "relay/recovery.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <future>
#include <optional>

#include "holdfast/base/socket.h"
#include "holdfast/state/shared_state.h"
#include "relay/ledger.h"
#include "support/faults.h"
#include "support/tcp.h"
#include "support/turning.h"

namespace holdfast::relay {
namespace {

using state::ConnectionRecord;
using state::ConnectionState;
using state::FlowRecord;
using state::FlowState;
using state::ResetBy;
using testing::Ending;
using testing::eventually;

bool is_open(int fd) {
  return ::fcntl(fd, F_GETFD) >= 0;
}

struct OwnedPipe {
  OwnedPipe() {
    std::array<int, 2> ends{};
    EXPECT_EQ(::pipe2(ends.data(), O_NONBLOCK | O_CLOEXEC), 0);
    read = Fd(ends[0]);
    write = Fd(ends[1]);
  }
  void lend_to(FlowRecord& flow) const {
    flow.pipe_read = read.get();
    flow.pipe_write = write.get();
  }
  void fill(std::size_t bytes) const {
    const std::string text(bytes, 'x');
    ASSERT_EQ(::write(write.get(), text.data(), bytes), static_cast<ssize_t>(bytes));
  }
  Fd read;
  Fd write;
};

// A connection over loopback TCP as a dead worker left it; what the record names is the test's.
class Reconcile : public ::testing::Test {
 protected:
  Reconcile() {
    record_.state = ConnectionState::relaying;
    record_.backend = 0;
    record_.client_fd = from_client_.get();
    record_.backend_fd = to_backend_.get();
  }

  void use_unix_sockets() {
    record_.client_fd = unix_client_.near.get();
    record_.backend_fd = unix_backend_.near.get();
  }

  static void consume(const Fd& socket, std::size_t bytes) {
    EXPECT_EQ(testing::receive(socket, bytes).size(), bytes);
  }

  Fd front_ = testing::listen_any();
  Fd back_ = testing::listen_any();
  Fd client_ = testing::connect_to(testing::address_of(front_));
  Fd from_client_ = testing::accept_from(front_);
  Fd to_backend_ = testing::connect_to(testing::address_of(back_));
  Fd backend_ = testing::accept_from(back_);
  testing::SocketPair unix_client_;
  testing::SocketPair unix_backend_;
  ConnectionRecord record_;
};

TEST_F(Reconcile, changes_nothing_of_an_idle_connection) {
  EXPECT_TRUE(reconcile(record_));
  EXPECT_EQ(record_.client_fd, from_client_.get());
  EXPECT_EQ(record_.backend_fd, to_backend_.get());
  EXPECT_EQ(record_.reset, ResetBy::nobody);
  EXPECT_EQ(record_.to_backend.held, 0U);
  use_unix_sockets();
  EXPECT_TRUE(reconcile(record_));
}

TEST_F(Reconcile, needs_the_client_in_every_state) {
  for (const auto state :
       {ConnectionState::accepting, ConnectionState::connecting, ConnectionState::relaying}) {
    record_.state = state;
    record_.client_fd = from_client_.get();
    EXPECT_TRUE(reconcile(record_));
    record_.client_fd = -1;
    EXPECT_FALSE(reconcile(record_));
    record_.client_fd = 1'000'000;
    EXPECT_FALSE(reconcile(record_));
  }
}

TEST_F(Reconcile, needs_the_backend_only_once_it_relays) {
  record_.backend_fd = -1;
  record_.backend = state::kNoBackend;
  for (const auto state : {ConnectionState::accepting, ConnectionState::connecting}) {
    record_.state = state;
    EXPECT_TRUE(reconcile(record_));
  }
  record_.state = ConnectionState::relaying;
  EXPECT_FALSE(reconcile(record_));
  record_.backend_fd = to_backend_.get();
  EXPECT_FALSE(reconcile(record_)) << "of a backend that there can't be";
}

TEST_F(Reconcile, takes_nothing_but_a_connected_socket_for_an_end) {
  const Fd file(::open("/dev/null", O_RDWR));
  const OwnedPipe pipe;
  for (const int other : {file.get(), pipe.read.get(), front_.get(), 0}) {
    record_.backend_fd = other;
    EXPECT_FALSE(reconcile(record_)) << other;
    record_.backend_fd = to_backend_.get();
    record_.client_fd = other;
    EXPECT_FALSE(reconcile(record_)) << other;
    record_.client_fd = from_client_.get();
  }
  EXPECT_TRUE(reconcile(record_));
}

TEST_F(Reconcile, lets_a_connect_begin_again_without_what_is_not_its_own) {
  record_.state = ConnectionState::connecting;
  EXPECT_TRUE(reconcile(record_));
  EXPECT_EQ(record_.backend_fd, to_backend_.get());
  record_.backend_fd = back_.get();
  EXPECT_TRUE(reconcile(record_));
  EXPECT_EQ(record_.backend_fd, -1);
  EXPECT_TRUE(is_open(back_.get()));
}

TEST_F(Reconcile, believes_no_state_that_is_out_of_range) {
  record_.to_backend.state = static_cast<FlowState>(4);
  EXPECT_FALSE(reconcile(record_));
  record_.to_backend.state = FlowState::open;
  record_.to_client.state = static_cast<FlowState>(255);
  EXPECT_FALSE(reconcile(record_));
  record_.to_client.state = FlowState::open;
  record_.reset = static_cast<ResetBy>(3);
  EXPECT_FALSE(reconcile(record_));
  record_.reset = ResetBy::nobody;
  EXPECT_TRUE(reconcile(record_));
}

using Pipes = Reconcile;

TEST_F(Pipes, hold_what_the_kernel_says_whatever_was_noted) {
  const OwnedPipe up;
  const OwnedPipe down;
  up.lend_to(record_.to_backend);
  down.lend_to(record_.to_client);
  up.fill(1000);
  record_.to_backend.held = 7;
  record_.to_client.held = 99'999;
  EXPECT_TRUE(reconcile(record_));
  EXPECT_EQ(record_.to_backend.held, 1000U);
  EXPECT_EQ(record_.to_client.held, 0U);
}

TEST_F(Pipes, that_are_named_by_halves_are_closed) {
  for (const bool read_end : {true, false}) {
    OwnedPipe pipe;
    auto& flow = record_.to_client;
    flow.held = 12;
    (read_end ? flow.pipe_read : flow.pipe_write) = (read_end ? pipe.read : pipe.write).release();
    const int named = std::max(flow.pipe_read, flow.pipe_write);
    EXPECT_TRUE(reconcile(record_));
    EXPECT_EQ(flow.pipe_read, -1);
    EXPECT_EQ(flow.pipe_write, -1);
    EXPECT_EQ(flow.held, 0U);
    EXPECT_FALSE(is_open(named));
  }
}

TEST_F(Pipes, half_named_as_something_else_are_left_to_their_owner) {
  record_.to_client.pipe_write = front_.get();
  EXPECT_TRUE(reconcile(record_));
  EXPECT_TRUE(is_open(front_.get()));
  EXPECT_EQ(record_.to_client.pipe_write, -1);
}

TEST_F(Pipes, must_be_pipes) {
  const OwnedPipe pipe;
  const Fd file(::open("/dev/null", O_RDWR));
  for (const int other : {file.get(), front_.get(), 1'000'000}) {
    for (auto* flow : {&record_.to_backend, &record_.to_client}) {
      flow->pipe_read = other;
      flow->pipe_write = pipe.write.get();
      EXPECT_FALSE(reconcile(record_)) << other;
      flow->pipe_read = pipe.read.get();
      flow->pipe_write = other;
      EXPECT_FALSE(reconcile(record_)) << other;
      flow->pipe_read = -1;
      flow->pipe_write = -1;
    }
  }
}

using Copy = Reconcile;

TEST_F(Copy, that_was_not_begun_costs_nothing) {
  testing::send_all(client_, "waits");
  record_.to_backend.in_copy = true;
  record_.to_client.in_copy = true;
  EXPECT_TRUE(reconcile(record_));
  EXPECT_FALSE(record_.to_backend.in_copy);
  EXPECT_FALSE(record_.to_client.in_copy);
  EXPECT_EQ(testing::receive(from_client_, 5), "waits");
}

TEST_F(Copy, whose_bytes_are_in_both_ends_is_finished) {
  testing::send_all(client_, "sent, and not");
  testing::send_all(to_backend_, "sent");
  ASSERT_TRUE(eventually([&] { return is_ready(from_client_.get(), true, false); }));
  record_.to_backend.in_copy = true;
  EXPECT_TRUE(reconcile(record_));
  EXPECT_EQ(testing::receive(from_client_, 9), ", and not");
  EXPECT_EQ(testing::receive(backend_, 4), "sent") << "and the sink got nothing twice";
}

TEST_F(Copy, the_other_way_is_finished_as_well) {
  testing::send_all(backend_, "answer");
  testing::send_all(from_client_, "ans");
  ASSERT_TRUE(eventually([&] { return is_ready(to_backend_.get(), true, false); }));
  record_.to_client.in_copy = true;
  EXPECT_TRUE(reconcile(record_));
  EXPECT_EQ(testing::receive(to_backend_, 3), "wer");
}

TEST_F(Copy, that_took_what_a_pipe_holds_is_complete) {
  const OwnedPipe pipe;
  pipe.lend_to(record_.to_backend);
  testing::send_all(client_, std::string(100, 'x'));
  consume(from_client_, 100);
  pipe.fill(100);
  record_.to_backend.in_copy = true;
  EXPECT_TRUE(reconcile(record_));
  EXPECT_EQ(record_.to_backend.held, 100U);
}

TEST_F(Copy, whose_bytes_are_nowhere_any_more_is_given_up) {
  testing::send_all(client_, "lost");
  consume(from_client_, 4);
  record_.to_backend.in_copy = true;
  EXPECT_FALSE(reconcile(record_));
}

TEST_F(Copy, more_of_which_was_sent_than_ever_came_is_given_up) {
  testing::send_all(to_backend_, "invented");
  record_.to_backend.in_copy = true;
  EXPECT_FALSE(reconcile(record_));
}

TEST_F(Copy, between_a_reset_socket_and_another_is_given_up_and_the_reset_passed_on) {
  testing::send_all(client_, "last words");
  record_.to_backend.in_copy = true;
  testing::reset(std::move(client_));
  ASSERT_TRUE(eventually([&] { return is_closed(from_client_.get()); }));
  EXPECT_TRUE(reconcile(record_));
  EXPECT_EQ(record_.reset, ResetBy::client);
  EXPECT_EQ(record_.to_backend.state, FlowState::aborted);
}

TEST_F(Copy, into_a_socket_that_was_reset_is_given_up_and_the_reset_passed_on) {
  testing::send_all(client_, "for nobody");
  record_.to_backend.in_copy = true;
  testing::reset(std::move(backend_));
  ASSERT_TRUE(eventually([&] { return is_closed(to_backend_.get()); }));
  EXPECT_TRUE(reconcile(record_));
  EXPECT_EQ(record_.reset, ResetBy::backend);
  EXPECT_EQ(record_.to_backend.state, FlowState::aborted);
}

TEST_F(Copy, is_finished_when_the_source_has_said_fin) {
  testing::send_all(client_, "the end");
  testing::finish_sending(client_);
  testing::send_all(to_backend_, "the ");
  char last = 0;
  ASSERT_TRUE(eventually(
      [&] { return ::recv(from_client_.get(), &last, 1, MSG_PEEK | MSG_DONTWAIT) == 1; }));
  record_.to_backend.in_copy = true;
  EXPECT_TRUE(reconcile(record_));
  const auto rest = testing::receive_to_end(from_client_);
  EXPECT_EQ(rest.bytes, "end");
  EXPECT_EQ(rest.ending, Ending::fin);
}

TEST_F(Copy, with_a_unix_socket_is_given_up) {
  record_.client_fd = unix_client_.near.get();
  record_.to_backend.in_copy = true;
  EXPECT_FALSE(reconcile(record_));
  record_.to_backend.in_copy = false;
  record_.to_client.in_copy = true;
  EXPECT_FALSE(reconcile(record_));
}

TEST_F(Copy, is_given_up_where_the_kernel_is_too_old_to_tell) {
  const testing::FaultScope scope;
  record_.to_backend.in_copy = true;
  testing::faults.short_tcp_info = true;
  // Faults don't strike on a test's main thread.
  EXPECT_FALSE(std::async(std::launch::async, [&] { return reconcile(record_); }).get());
  testing::faults.short_tcp_info = false;
  EXPECT_TRUE(std::async(std::launch::async, [&] { return reconcile(record_); }).get());
}

using Resets = Reconcile;

TEST_F(Resets, that_came_meanwhile_are_noted_with_the_end_they_came_from) {
  testing::reset(std::move(backend_));
  ASSERT_TRUE(eventually([&] { return is_closed(to_backend_.get()); }));
  EXPECT_TRUE(reconcile(record_));
  EXPECT_EQ(record_.reset, ResetBy::backend);

  testing::reset(std::move(client_));
  ASSERT_TRUE(eventually([&] { return is_closed(from_client_.get()); }));
  EXPECT_TRUE(reconcile(record_));
  EXPECT_EQ(record_.reset, ResetBy::backend) << "the first one counts";

  record_.reset = ResetBy::nobody;
  EXPECT_TRUE(reconcile(record_));
  EXPECT_EQ(record_.reset, ResetBy::client);
}

TEST_F(Resets, are_not_what_an_orderly_end_is) {
  ::shutdown(from_client_.get(), SHUT_WR);
  record_.to_client.state = FlowState::shut;
  EXPECT_EQ(testing::ending_of(client_), Ending::fin);
  client_.reset();
  // Both FINs: the socket is in TCP_CLOSE or about to be.
  ASSERT_TRUE(eventually([&] { return is_closed(from_client_.get()); }));
  EXPECT_TRUE(reconcile(record_));
  EXPECT_EQ(record_.reset, ResetBy::nobody);
}

class Discard : public Reconcile {};

TEST_F(Discard, closes_everything_that_the_record_names) {
  OwnedPipe up;
  OwnedPipe down;
  record_.client_fd = from_client_.release();
  record_.backend_fd = to_backend_.release();
  record_.to_backend.pipe_read = up.read.release();
  record_.to_backend.pipe_write = up.write.release();
  record_.to_client.pipe_write = down.write.release();
  const std::array named = {record_.client_fd, record_.backend_fd, record_.to_backend.pipe_read,
                            record_.to_backend.pipe_write, record_.to_client.pipe_write};
  discard(record_);
  EXPECT_EQ(testing::ending_of(client_), Ending::fin);
  EXPECT_EQ(testing::ending_of(backend_), Ending::fin);
  for (const int fd : named) {
    EXPECT_FALSE(is_open(fd)) << fd;
  }
  EXPECT_EQ(record_.client_fd, -1);
  EXPECT_EQ(record_.backend_fd, -1);
  EXPECT_EQ(record_.to_backend.pipe_read, -1);
}

TEST_F(Discard, leaves_what_is_somebody_elses) {
  const Fd file(::open("/dev/null", O_RDWR));
  record_.client_fd = file.get();
  record_.backend_fd = front_.get();
  record_.to_backend.pipe_read = front_.get();
  record_.to_backend.pipe_write = file.get();
  record_.to_client.pipe_read = from_client_.get();
  record_.to_client.pipe_write = 0;
  discard(record_);
  EXPECT_TRUE(is_open(file.get()));
  EXPECT_TRUE(is_open(front_.get()));
  EXPECT_TRUE(is_open(from_client_.get()));
  EXPECT_TRUE(is_open(0));
}

TEST_F(Discard, does_nothing_to_what_is_gone) {
  record_.client_fd = 1'000'000;
  record_.backend_fd = -1;
  record_.to_client.pipe_read = 1'000'001;
  discard(record_);
  EXPECT_EQ(record_.client_fd, -1);
  EXPECT_EQ(record_.to_client.pipe_read, -1);
}

}  // namespace
}  // namespace holdfast::relay
