#include "holdfast/pool/hedge_budget.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <vector>

namespace holdfast::pool {
namespace {

using namespace std::chrono_literals;

class Budget : public ::testing::Test {
 protected:
  void deposit(int times) {
    for (int i = 0; i < times; ++i) {
      budget_.deposit(now_);
    }
  }
  // How many can be had now.
  int spend() {
    int spent = 0;
    while (budget_.withdraw(now_)) {
      ++spent;
    }
    return spent;
  }

  HedgeBudget budget_;
  TimePoint now_{1000s};
};

TEST_F(Budget, has_a_few_for_a_pool_that_is_hardly_asked) {
  EXPECT_EQ(spend(), 5);
  deposit(49);
  EXPECT_EQ(spend(), 0);
}

TEST_F(Budget, is_a_tenth_of_what_is_asked) {
  deposit(1000);
  EXPECT_EQ(spend(), 100);
  deposit(100);
  EXPECT_EQ(spend(), 10);
}

TEST_F(Budget, counts_the_last_ten_seconds) {
  for (int second = 0; second < 10; ++second) {
    deposit(100);
    now_ += 1s;
  }
  now_ -= 1s;
  EXPECT_EQ(spend(), 100);
  now_ += 9s;
  EXPECT_EQ(spend(), 0) << "what was spent counts as long as what was asked";
  now_ += 1s;
  EXPECT_EQ(spend(), 5);
}

TEST_F(Budget, never_gives_more_than_a_tenth_in_any_ten_seconds) {
  int spent = 0;
  for (int step = 0; step < 100; ++step) {
    deposit(20);
    spent += spend();
    now_ += 100ms;
  }
  EXPECT_EQ(spent, 200);
}

TEST_F(Budget, takes_back_what_was_not_used) {
  EXPECT_EQ(spend(), 5);
  budget_.refund(now_);
  EXPECT_EQ(spend(), 1);
}

TEST_F(Budget, begins_anew_after_a_long_time) {
  EXPECT_EQ(spend(), 5);
  now_ += 24h * 365;
  EXPECT_EQ(spend(), 5);
}

TEST_F(Budget, is_one_for_all_threads) {
  std::atomic<int> spent = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      for (int k = 0; k < 500; ++k) {
        budget_.deposit(now_);
      }
    });
  }
  for (auto& thread : threads) {
    thread.join();
  }
  threads.clear();
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] { spent += spend(); });
  }
  for (auto& thread : threads) {
    thread.join();
  }
  EXPECT_EQ(spent, 200);
}

}  // namespace
}  // namespace holdfast::pool
