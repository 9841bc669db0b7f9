#include "cli/latency.h"

#include <gtest/gtest.h>

namespace holdfast::cli {
namespace {

using namespace std::chrono_literals;

Latencies one_to(int count) {
  Latencies latencies;
  for (int i = count; i > 0; --i) {
    latencies.add(std::chrono::milliseconds(i));
  }
  return latencies;
}

TEST(Latencies, gives_the_nearest_rank_percentile) {
  auto latencies = one_to(1000);

  EXPECT_EQ(latencies.percentile(50), 500ms);
  EXPECT_EQ(latencies.percentile(99), 990ms);
  EXPECT_EQ(latencies.percentile(99.9), 999ms);
  EXPECT_EQ(latencies.max(), 1000ms);
  EXPECT_EQ(latencies.percentile(0), 1ms);
}

TEST(Latencies, gives_the_only_value_for_every_percentile) {
  auto latencies = one_to(1);

  EXPECT_EQ(latencies.percentile(1), 1ms);
  EXPECT_EQ(latencies.percentile(99.9), 1ms);
}

TEST(Latencies, is_zero_when_empty) {
  EXPECT_EQ(Latencies().percentile(99), 0ms);
}

TEST(Latencies, takes_values_after_it_was_asked) {
  auto latencies = one_to(3);
  EXPECT_EQ(latencies.max(), 3ms);

  latencies.add(9ms);
  latencies.add(one_to(2));

  EXPECT_EQ(latencies.max(), 9ms);
  EXPECT_EQ(latencies.percentile(50), 2ms);
  EXPECT_EQ(latencies.size(), 6U);
}

}  // namespace
}  // namespace holdfast::cli
