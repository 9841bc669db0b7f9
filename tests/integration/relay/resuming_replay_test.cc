// A relay thread that goes on with records another worker left, of clients whose bytes are kept.

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <memory>
#include <string>

#include "holdfast/base/socket.h"
#include "holdfast/relay/relay.h"
#include "holdfast/state/region.h"
#include "relay/tried.h"
#include "support/tcp.h"
#include "support/text_log.h"
#include "support/turning.h"

namespace holdfast::testing {
namespace {

using namespace std::chrono_literals;
using state::ConnectionState;
using state::ReplayState;

// A client that asked "hello" of the first of two backends, which has said nothing yet.
class ResumingReplay : public ::testing::Test {
 protected:
  ResumingReplay() : record_(region_.records(0)[0]) {
    shared().threads.set(1);
    shared().listeners[0].name = state::to_name("web");
    PoolConfig config;
    config.name = "web";
    config.replay.up_to = 1024;
    config.health.type = CheckType::none;
    config.passive.is_on = false;
    std::vector<pool::Backend> backends;
    for (std::uint16_t index = 0; index < 2; ++index) {
      shared().backends[index].weight.set(1);
      backends.push_back({.index = index,
                          .name = "web-" + std::to_string(index),
                          .address = address_of(backs_[index])});
    }
    pool_ = std::make_shared<pool::Pool>(config, std::uint16_t{0}, std::move(backends), shared());

    thread().touched.set(1);
    record_ = {};
    record_.state = ConnectionState::relaying;
    record_.active_at = to_nanoseconds(Clock::now());
    record_.client_fd = accept_from(front_).release();
    record_.backend = 0;
    record_.backend_fd = connect_to(address_of(backs_[0])).release();
    server_ = accept_from(backs_[0]);
    relay::note_tried(record_, 0);
    record_.replay = ReplayState::keeping;
    make_pipe(record_.keep_read, record_.keep_write);
    shared().connections.increment();
    shared().backends[0].active.increment();
    thread().listeners[0].connections.add(1);
  }

  static void make_pipe(std::int32_t& read, std::int32_t& write, std::string_view bytes = "") {
    std::array<int, 2> ends{};
    ASSERT_EQ(::pipe2(ends.data(), O_NONBLOCK | O_CLOEXEC), 0);
    read = ends[0];
    write = ends[1];
    if (!bytes.empty()) {
      ASSERT_EQ(::write(write, bytes.data(), bytes.size()), static_cast<ssize_t>(bytes.size()));
    }
  }
  void keep(std::string_view bytes) const {
    ASSERT_EQ(::write(record_.keep_write, bytes.data(), bytes.size()),
              static_cast<ssize_t>(bytes.size()));
  }
  void asked() {
    keep("hello");
    ASSERT_EQ(::write(record_.backend_fd, "hello", 5), 5);
    record_.to_backend.delivered = 5;
  }

  void recover() {
    relay_ = std::make_unique<relay::Relay>(
        loop_, relay::RelayOptions{.limits = {.max_connections = 10, .max_pipes = 10}}, shared(),
        region_.records(0), log_.log());
    relay_->configure(
        {.index = 0, .name = "web", .pool = pool_, .idle_timeout = 1h, .half_close_timeout = 1h});
    relay_->recover({});
  }

  // What the backend of that number hears on its next connection.
  std::string heard_by(std::size_t backend, std::size_t bytes) {
    if (!turn_until(loop_, [&] { return is_ready(backs_[backend].get(), true, false); })) {
      return "nothing";
    }
    again_ = accept_from(backs_[backend]);
    return hears(again_, bytes);
  }
  std::string hears(const Fd& socket, std::size_t bytes) {
    std::string heard;
    static_cast<void>(turn_until(loop_, [&] {
      char byte = 0;
      while (heard.size() < bytes && ::recv(socket.get(), &byte, 1, MSG_DONTWAIT) == 1) {
        heard += byte;
      }
      return heard.size() == bytes;
    }));
    return heard;
  }
  state::SharedState& shared() { return region_.shared(); }
  state::ThreadState& thread() { return shared().per_thread[0]; }
  [[nodiscard]] std::uint64_t replays() { return thread().pools[0].replays.get(); }

  Fd front_ = listen_any();
  std::array<Fd, 2> backs_{listen_any(), listen_any()};
  Fd client_ = connect_to(address_of(front_));
  Fd server_;
  Fd again_;
  loop::Loop loop_;
  TextLog log_;
  state::Region region_ = state::Region::create(10).value();
  state::ConnectionRecord& record_;
  std::shared_ptr<pool::Pool> pool_;
  std::unique_ptr<relay::Relay> relay_;
};

TEST_F(ResumingReplay, sends_again_what_the_dead_worker_had_kept) {
  asked();
  recover();
  EXPECT_EQ(hears(server_, 5), "hello");
  reset(std::move(server_));
  EXPECT_EQ(heard_by(1, 5), "hello");
  send_all(again_, "there");
  EXPECT_EQ(hears(client_, 5), "there");
  EXPECT_EQ(replays(), 1U);
  EXPECT_EQ(thread().listeners[0].received_bytes.get(), 0U) << "it had been counted before";
}

TEST_F(ResumingReplay, keeps_what_comes_later_with_what_had_come_before) {
  asked();
  recover();
  send_all(client_, " again");
  EXPECT_EQ(hears(server_, 11), "hello again");
  reset(std::move(server_));
  EXPECT_EQ(heard_by(1, 11), "hello again");
}

TEST_F(ResumingReplay, keeps_what_the_dead_worker_had_taken_and_not_kept) {
  auto& flow = record_.to_backend;
  make_pipe(flow.pipe_read, flow.pipe_write, "hello");
  flow.held = 5;
  recover();
  EXPECT_EQ(hears(server_, 5), "hello");
  reset(std::move(server_));
  EXPECT_EQ(heard_by(1, 5), "hello");
}

TEST_F(ResumingReplay, relays_without_it_what_was_kept_in_part) {
  auto& flow = record_.to_backend;
  make_pipe(flow.pipe_read, flow.pipe_write, "hello");
  flow.held = 5;
  keep("hel");
  recover();
  EXPECT_EQ(hears(server_, 5), "hello");
  EXPECT_EQ(record_.replay, ReplayState::over);
  EXPECT_EQ(record_.keep_read, -1);
  reset(std::move(server_));
  ASSERT_TRUE(turn_until(loop_, [&] { return shared().connections.get() == 0; }));
  EXPECT_EQ(ending_of(client_), Ending::reset);
  EXPECT_EQ(replays(), 0U);
}

// On the way from one keeping pipe to a roomier one.
TEST_F(ResumingReplay, keeps_on_with_the_ends_of_two_keeping_pipes) {
  asked();
  std::int32_t read = -1;
  std::int32_t write = -1;
  make_pipe(read, write);
  const int unnamed = std::exchange(record_.keep_write, write);
  recover();
  // As whoever takes stock of the descriptors does with those that nobody names.
  ::close(read);
  ::close(unnamed);
  send_all(client_, " again");
  EXPECT_EQ(hears(server_, 11), "hello again");
  EXPECT_EQ(record_.replay, ReplayState::keeping);
  reset(std::move(server_));
  EXPECT_EQ(heard_by(1, 11), "hello again");
}

TEST_F(ResumingReplay, gives_up_what_is_kept_without_a_write_end_when_an_answer_comes) {
  asked();
  ::close(std::exchange(record_.keep_write, -1));
  const auto before = open_descriptors_beside_loops();
  recover();
  send_all(server_, "there");
  EXPECT_EQ(hears(client_, 5), "there");
  EXPECT_EQ(record_.replay, ReplayState::over);
  relay_.reset();
  EXPECT_LT(open_descriptors_beside_loops(), before);
}

TEST_F(ResumingReplay, goes_on_with_a_replay_and_not_to_the_backend_that_failed) {
  keep("hello");
  relay::note_failed(record_, 0);
  record_.state = ConnectionState::connecting;
  shared().backends[0].active.decrement();
  record_.replayed = 5;
  recover();
  EXPECT_EQ(heard_by(1, 5), "hello");
  EXPECT_NE(ending_of(server_), Ending::timeout);
  EXPECT_FALSE(is_ready(backs_[0].get(), true, false));
  send_all(again_, "there");
  EXPECT_EQ(hears(client_, 5), "there");
  EXPECT_EQ(record_.attempts, 2U);
}

TEST_F(ResumingReplay, begins_a_connect_again_that_was_under_way_at_no_cost_of_attempts) {
  keep("hello");
  relay::note_failed(record_, 0);
  relay::note_tried(record_, 1);
  record_.state = ConnectionState::connecting;
  shared().backends[0].active.decrement();
  recover();
  EXPECT_EQ(heard_by(1, 5), "hello");
  EXPECT_EQ(record_.attempts, 2U);
}

}  // namespace
}  // namespace holdfast::testing
