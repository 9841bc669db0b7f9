#include "holdfast/loop/signals.h"

#include <gtest/gtest.h>

#include <optional>
#include <vector>

#include "support/turning.h"

namespace holdfast::loop {
namespace {

// Blocks SIGUSR1 and SIGUSR2 for one test. They are sent to this thread alone, so that none of
// another test's threads could take them.
class SignalsTest : public ::testing::Test {
 protected:
  void SetUp() override {
    pthread_sigmask(SIG_SETMASK, nullptr, &usual_);
    Signals::block({SIGUSR1, SIGUSR2});
  }
  void TearDown() override {
    // What no test took would end the program once it is let through.
    timespec now{};
    sigset_t both;
    sigemptyset(&both);
    sigaddset(&both, SIGUSR1);
    sigaddset(&both, SIGUSR2);
    while (sigtimedwait(&both, nullptr, &now) > 0) {
    }
    pthread_sigmask(SIG_SETMASK, &usual_, nullptr);
  }

  static void send(int number) { ASSERT_EQ(pthread_kill(pthread_self(), number), 0); }

  sigset_t usual_{};
};

TEST_F(SignalsTest, come_to_the_loop_by_their_numbers) {
  Loop loop;
  std::vector<int> came;
  const Signals signals(loop, {SIGUSR1, SIGUSR2}, [&](int number) { came.push_back(number); });
  send(SIGUSR2);
  EXPECT_TRUE(came.empty()) << "nobody is interrupted";
  testing::turn(loop);
  EXPECT_EQ(came, std::vector<int>{SIGUSR2});
  send(SIGUSR1);
  testing::turn(loop);
  EXPECT_EQ(came, (std::vector<int>{SIGUSR2, SIGUSR1}));
}

TEST_F(SignalsTest, that_came_together_are_all_told) {
  Loop loop;
  int sum = 0;
  const Signals signals(loop, {SIGUSR1, SIGUSR2}, [&](int number) { sum += number; });
  send(SIGUSR1);
  send(SIGUSR2);
  testing::turn(loop);
  EXPECT_EQ(sum, SIGUSR1 + SIGUSR2);
}

TEST_F(SignalsTest, that_were_not_asked_for_are_left_alone) {
  Loop loop;
  int calls = 0;
  const Signals signals(loop, {SIGUSR1}, [&](int) { ++calls; });
  send(SIGUSR2);
  testing::turn(loop);
  EXPECT_EQ(calls, 0);
  sigset_t pending;
  sigpending(&pending);
  EXPECT_EQ(sigismember(&pending, SIGUSR2), 1);
}

// scar 21: the second of two signals that came together has nobody left to go to.
TEST_F(SignalsTest, may_be_destroyed_in_their_own_callback) {
  Loop loop;
  int calls = 0;
  std::optional<Signals> signals;
  signals.emplace(loop, std::initializer_list<int>{SIGUSR1, SIGUSR2}, [&](int) {
    signals.reset();
    ++calls;
  });
  send(SIGUSR1);
  send(SIGUSR2);
  testing::turn(loop);
  EXPECT_EQ(calls, 1);
}

TEST_F(SignalsTest, are_blocked_in_the_threads_made_after) {
  sigset_t mask;
  pthread_sigmask(SIG_SETMASK, nullptr, &mask);
  EXPECT_EQ(sigismember(&mask, SIGUSR1), 1);
  EXPECT_EQ(sigismember(&mask, SIGUSR2), 1);
}

}  // namespace
}  // namespace holdfast::loop
