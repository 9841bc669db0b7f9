#include "holdfast/state/counter.h"

#include <gtest/gtest.h>

#include <limits>
#include <thread>
#include <type_traits>
#include <vector>

namespace holdfast::state {
namespace {

constexpr auto kBounds = kDurationBounds.size();

TEST(Counter, begins_at_zero_and_adds_up) {
  Counter counter;
  EXPECT_EQ(counter.get(), 0U);
  counter.add(2);
  counter.add(0);
  counter.add(40);
  EXPECT_EQ(counter.get(), 42U);
  counter.set(7);
  EXPECT_EQ(counter.get(), 7U);
}

TEST(Counter, counts_beyond_32_bits) {
  Counter counter;
  counter.set(std::numeric_limits<std::uint32_t>::max());
  counter.add(1);
  EXPECT_EQ(counter.get(), 1ULL << 32);
}

TEST(Counter, is_read_by_others_while_its_owner_adds) {
  Counter counter;
  std::thread owner([&] {
    for (int i = 0; i < 10'000; ++i) {
      counter.add(1);
    }
  });
  std::uint64_t last = 0;
  while (last < 10'000) {
    const auto now = counter.get();
    ASSERT_GE(now, last);
    last = now;
  }
  owner.join();
}

// scar 29
TEST(Gauge, is_exactly_zero_after_threads_have_come_and_gone) {
  Gauge gauge;
  std::vector<std::thread> threads;
  threads.reserve(4);
  for (int thread = 0; thread < 4; ++thread) {
    threads.emplace_back([&] {
      for (int i = 0; i < 10'000; ++i) {
        gauge.increment();
        gauge.decrement();
      }
    });
  }
  for (auto& thread : threads) {
    thread.join();
  }
  EXPECT_EQ(gauge.get(), 0U);
}

TEST(Gauge, says_what_it_came_to) {
  Gauge gauge;
  gauge.set(5);
  EXPECT_EQ(gauge.increment(), 6U);
  gauge.decrement();
  EXPECT_EQ(gauge.get(), 5U);
}

TEST(Histogram, puts_a_bound_into_its_own_bucket_and_what_is_above_into_the_next) {
  for (std::size_t place = 0; place < kBounds; ++place) {
    Histogram histogram;
    histogram.observe(kDurationBounds[place] * 1000);
    EXPECT_EQ(histogram.buckets[place].get(), 1U) << "le=" << kDurationBounds[place];
    histogram.observe(kDurationBounds[place] * 1000 + 1);
    EXPECT_EQ(histogram.buckets[place].get(), 1U) << "le=" << kDurationBounds[place];
    EXPECT_EQ(histogram.buckets[place + 1].get(), 1U) << "above " << kDurationBounds[place];
  }
}

TEST(Histogram, takes_the_shortest_and_the_longest) {
  Histogram histogram;
  histogram.observe(0);
  EXPECT_EQ(histogram.buckets.front().get(), 1U);
  histogram.observe(std::numeric_limits<std::int64_t>::max());
  EXPECT_EQ(histogram.buckets.back().get(), 1U);
}

TEST(Histogram, sums_up_what_it_saw) {
  Histogram histogram;
  histogram.observe(1'500);
  histogram.observe(2'000'000'000);
  EXPECT_EQ(histogram.sum_nanoseconds.get(), 2'000'001'500U);
}

TEST(Histogram, has_bounds_in_order) {
  for (std::size_t place = 1; place < kBounds; ++place) {
    EXPECT_LT(kDurationBounds[place - 1], kDurationBounds[place]);
  }
}

}  // namespace
}  // namespace holdfast::state
