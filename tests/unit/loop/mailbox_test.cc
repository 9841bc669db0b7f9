#include "holdfast/loop/mailbox.h"

#include <gtest/gtest.h>

#include <optional>
#include <thread>
#include <vector>

#include "support/turning.h"

namespace holdfast::loop {
namespace {

using testing::turn;
using testing::turn_until;

TEST(Mailbox, runs_messages_in_the_order_they_came) {
  Loop loop;
  Mailbox mailbox(loop);
  std::vector<int> ran;
  for (int i = 0; i < 5; ++i) {
    mailbox.post([&ran, i] { ran.push_back(i); });
  }
  EXPECT_TRUE(ran.empty()) << "not before the loop turns";
  turn(loop);
  EXPECT_EQ(ran, (std::vector<int>{0, 1, 2, 3, 4}));
}

TEST(Mailbox, wakes_a_loop_that_sleeps_and_runs_messages_on_its_thread) {
  Loop loop;
  Mailbox mailbox(loop);
  std::thread::id ran_on;
  std::thread poster([&] {
    mailbox.post([&] {
      ran_on = std::this_thread::get_id();
      loop.stop();
    });
  });
  loop.run();
  poster.join();
  EXPECT_EQ(ran_on, std::this_thread::get_id());
}

TEST(Mailbox, loses_nothing_that_several_threads_post_at_once_and_keeps_each_ones_order) {
  constexpr int kThreads = 4;
  constexpr int kMessages = 2000;
  Loop loop;
  Mailbox mailbox(loop);
  std::vector<int> last(kThreads, -1);
  int in_order = 0;
  std::vector<std::thread> threads;
  threads.reserve(kThreads);
  for (std::size_t thread = 0; thread < kThreads; ++thread) {
    threads.emplace_back([&, thread] {
      for (int i = 0; i < kMessages; ++i) {
        mailbox.post([&, thread, i] {
          in_order += last[thread] == i - 1 ? 1 : 0;
          last[thread] = i;
        });
      }
    });
  }
  EXPECT_TRUE(turn_until(loop, [&] { return in_order == kThreads * kMessages; })) << in_order;
  for (auto& thread : threads) {
    thread.join();
  }
}

TEST(Mailbox, delivers_what_a_message_posts) {
  Loop loop;
  Mailbox mailbox(loop);
  int ran = 0;
  std::function<void()> again = [&] {
    if (++ran < 3) {
      mailbox.post(again);
    }
  };
  mailbox.post(again);
  turn(loop, 10);
  EXPECT_EQ(ran, 3);
}

TEST(Mailbox, drops_what_has_not_run_when_it_goes) {
  Loop loop;
  int ran = 0;
  {
    Mailbox mailbox(loop);
    mailbox.post([&] { ++ran; });
  }
  turn(loop);
  EXPECT_EQ(ran, 0);
}

// scar 21
TEST(Mailbox, may_be_destroyed_by_a_message_and_drops_the_rest) {
  Loop loop;
  int ran = 0;
  std::optional<Mailbox> mailbox;
  mailbox.emplace(loop);
  mailbox->post([&] {
    ++ran;
    mailbox.reset();
  });
  mailbox->post([&] { ran += 100; });
  turn(loop);
  EXPECT_EQ(ran, 1);
}

}  // namespace
}  // namespace holdfast::loop
