#include "holdfast/state/event_ring.h"

#include <gmock/gmock.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <csignal>
#include <cstring>
#include <limits>
#include <memory>
#include <set>
#include <thread>

#include "holdfast/state/region.h"

namespace holdfast::state {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class EventRingTest : public ::testing::Test {
 protected:
  std::unique_ptr<EventRing> ring_ = std::make_unique<EventRing>();
};

TEST_F(EventRingTest, is_empty_when_all_its_bytes_are_zero) {
  std::memset(static_cast<void*>(ring_.get()), 0, sizeof *ring_);
  EXPECT_THAT(ring_->read(), IsEmpty());
}

TEST_F(EventRingTest, gives_back_what_was_written_in_its_order) {
  const auto now = [] {
    return std::chrono::duration_cast<std::chrono::milliseconds>(
               std::chrono::system_clock::now().time_since_epoch())
        .count();
  };
  const auto before = now();
  ring_->write(EventKind::started, {});
  ring_->write(EventKind::worker_died, {{"cause", "killed"}, {"signal", 9}});
  const auto events = ring_->read();
  ASSERT_EQ(events.size(), 2U);
  EXPECT_EQ(events[0].number, 1U);
  EXPECT_EQ(events[0].kind, EventKind::started);
  EXPECT_EQ(events[0].text, "");
  EXPECT_EQ(events[1].number, 2U);
  EXPECT_EQ(events[1].kind, EventKind::worker_died);
  EXPECT_EQ(events[1].text, "cause=killed\nsignal=9\n");
  EXPECT_GE(events[1].at, before);
  EXPECT_LE(events[1].at, now());
}

TEST_F(EventRingTest, takes_the_longest_numbers) {
  ring_->write(EventKind::stopping, {{"least", std::numeric_limits<std::int64_t>::min()},
                                     {"most", std::numeric_limits<std::uint64_t>::max()}});
  EXPECT_EQ(ring_->read().at(0).text, "least=-9223372036854775808\nmost=18446744073709551615\n");
}

TEST_F(EventRingTest, lets_no_value_make_a_field_of_its_own) {
  ring_->write(EventKind::backend_down, {{"reason", "no\ncause=forged"}});
  EXPECT_EQ(ring_->read().at(0).text, "reason=no cause=forged\n");
}

TEST_F(EventRingTest, cuts_a_text_that_does_not_fit) {
  const std::string fits(EventRing::kTextSize - std::strlen("a=1\nb=\n"), 'x');
  ring_->write(EventKind::backend_up, {{"a", 1}, {"b", fits}});
  ring_->write(EventKind::backend_up, {{"a", 1}, {"b", fits + 'x'}, {"c", 3}});
  const auto events = ring_->read();
  EXPECT_EQ(events.at(0).text, "a=1\nb=" + fits + '\n');
  EXPECT_EQ(events.at(0).text.size(), EventRing::kTextSize);
  EXPECT_EQ(events.at(1).text, events.at(0).text);
}

TEST_F(EventRingTest, leaves_out_a_number_that_does_not_fit_whole) {
  const std::string almost(EventRing::kTextSize - std::strlen("b=\nc=12\n"), 'x');
  ring_->write(EventKind::backend_up, {{"b", almost}, {"c", 12}});
  ring_->write(EventKind::backend_up, {{"b", almost}, {"c", 123}});
  const auto events = ring_->read();
  EXPECT_EQ(events.at(0).text, "b=" + almost + "\nc=12\n");
  EXPECT_EQ(events.at(1).text, "b=" + almost + '\n');
}

TEST_F(EventRingTest, keeps_the_last_ones) {
  for (std::size_t i = 1; i <= EventRing::kCapacity + 10; ++i) {
    ring_->write(EventKind::reloaded, {{"i", i}});
  }
  const auto events = ring_->read();
  ASSERT_EQ(events.size(), EventRing::kCapacity);
  for (std::size_t i = 0; i < events.size(); ++i) {
    EXPECT_EQ(events[i].number, i + 11);
    EXPECT_EQ(events[i].text, "i=" + std::to_string(i + 11) + "\n");
  }
}

TEST_F(EventRingTest, names_every_kind) {
  std::set<std::string_view> names;
  for (std::size_t kind = 0; kind < kEventKinds; ++kind) {
    names.insert(to_string(static_cast<EventKind>(kind)));
  }
  EXPECT_EQ(names.size(), kEventKinds);
}

// However a broken worker scribbled over it: what is read was written once.
TEST_F(EventRingTest, believes_nothing_that_was_scribbled_over) {
  for (int i = 0; i < 3; ++i) {
    ring_->write(EventKind::worker_died, {{"cause", "killed"}});
  }
  const auto intact = *ring_;
  for (std::size_t at = sizeof(std::uint64_t); at < 6 * 256; ++at) {
    *ring_ = intact;
    reinterpret_cast<unsigned char*>(ring_.get())[at] ^= 0xff;
    const auto events = ring_->read();
    ASSERT_LE(events.size(), 3U);
    for (const auto& event : events) {
      ASSERT_EQ(event.text, "cause=killed\n") << at;
      ASSERT_EQ(event.kind, EventKind::worker_died) << at;
    }
  }
  std::memset(static_cast<void*>(ring_.get()), 0xff, sizeof *ring_);
  EXPECT_THAT(ring_->read(), IsEmpty());
  ring_->write(EventKind::started, {});
  ring_->write(EventKind::started, {});
  EXPECT_FALSE(ring_->read().empty()) << "numbers begin anew, and writing goes on";
}

// Each event's text says one thing twice: torn ones would not agree with themselves.
TEST_F(EventRingTest, shows_no_event_torn_while_threads_write) {
  constexpr int kEach = 20'000;
  constexpr int kWriters = 3;
  std::atomic<int> writing = kWriters;
  std::vector<std::thread> writers;
  for (int writer = 0; writer < kWriters; ++writer) {
    writers.emplace_back([&, writer] {
      const std::string name(static_cast<std::size_t>(10 + 20 * writer),
                             static_cast<char>('a' + writer));
      for (int i = 0; i < kEach; ++i) {
        ring_->write(EventKind::backend_down, {{"i", i}, {"name", name}, {"again", i}});
      }
      --writing;
    });
  }
  const auto check = [&] {
    std::uint64_t last = 0;
    for (const auto& event : ring_->read()) {
      ASSERT_GT(event.number, last);
      last = event.number;
      const auto first = event.text.substr(2, event.text.find('\n') - 2);
      ASSERT_TRUE(event.text.ends_with("\nagain=" + first + "\n")) << event.text;
    }
  };
  while (writing > 0) {
    check();
  }
  for (auto& writer : writers) {
    writer.join();
  }
  check();
  EXPECT_EQ(ring_->read().back().number, std::uint64_t{kWriters} * kEach);
}

// SIGKILL meets it anywhere in its work: at most the event it was at is missing.
TEST(EventRing, loses_one_event_at_most_with_a_process_that_dies_writing) {
  const auto region = Region::create(1).value();
  auto& ring = region.shared().events;
  std::uint64_t written = 0;
  for (int death = 0; death < 5; ++death) {
    const pid_t child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      for (;;) {
        ring.write(EventKind::worker_hung, {{"pid", "child"}});
      }
    }
    while (ring.read().empty() || ring.read().back().number < written + 1000) {
      std::this_thread::yield();
    }
    ASSERT_EQ(::kill(child, SIGKILL), 0);
    ASSERT_EQ(::waitpid(child, nullptr, 0), child);
    const auto left = ring.read();
    ASSERT_GE(left.size(), EventRing::kCapacity - 1);
    ring.write(EventKind::worker_died, {{"death", death}});
    const auto after = ring.read();
    ASSERT_EQ(after.back().kind, EventKind::worker_died);
    ASSERT_EQ(after.back().text, "death=" + std::to_string(death) + "\n");
    written = after.back().number;
  }
}

}  // namespace
}  // namespace holdfast::state
