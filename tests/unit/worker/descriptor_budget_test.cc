#include "worker/descriptor_budget.h"

#include <gmock/gmock.h>
#include <sys/resource.h>

#include <initializer_list>
#include <limits>

#include "support/limit_scope.h"

namespace holdfast::worker {
namespace {

using ::testing::HasSubstr;

using Sizes = std::initializer_list<std::size_t>;

// scar 4: descriptors, threads, listening sockets and backends in every combination.
TEST(DescriptorBudget, never_promises_more_than_the_limit) {
  int planned = 0;
  int refused = 0;
  for (const auto limit : Sizes{0, 64, 256, 1024, 4096, 65'536, 1'048'576}) {
    for (const auto threads : Sizes{1, 4, 64}) {
      for (const auto sockets : Sizes{0, 1, 256}) {
        for (const auto backends : Sizes{0, 10, 4096}) {
          for (const auto wanted :
               {std::optional<unsigned>(), std::optional<unsigned>(1), std::optional<unsigned>(500),
                std::optional<unsigned>(30'000), std::optional<unsigned>(4'000'000'000)}) {
            const auto budget = plan_descriptors({limit, threads, sockets, backends, wanted});
            const std::size_t others = threads + sockets + backends;
            if (!budget) {
              ++refused;
              // It would not have fitted: some room for the process itself is all it may claim.
              EXPECT_GT(2 * std::size_t{wanted.value_or(1)} + others + 15 * threads + 128, limit);
              continue;
            }
            ++planned;
            EXPECT_GE(budget->max_connections, 1U);
            EXPECT_LE(2 * std::size_t{budget->max_connections} + 2 * budget->pipes + others, limit);
            if (wanted) {
              EXPECT_EQ(budget->max_connections, *wanted);
            }
          }
        }
      }
    }
  }
  EXPECT_GT(planned, 100);
  EXPECT_GT(refused, 100);
}

TEST(DescriptorBudget, gives_four_fifths_to_connections_and_the_rest_to_pipes) {
  const auto budget = plan_descriptors({.limit = 100'000, .max_connections = {}}).value();
  EXPECT_NEAR(budget.max_connections * 2, 80'000, 200);
  EXPECT_NEAR(static_cast<double>(budget.pipes * 2), 20'000, 200);
}

TEST(DescriptorBudget, has_no_more_pipes_than_connections_can_use) {
  const auto budget = plan_descriptors({.limit = 1'000'000, .max_connections = 10}).value();
  EXPECT_EQ(budget.max_connections, 10U);
  EXPECT_EQ(budget.pipes, 20U);
}

TEST(DescriptorBudget, goes_without_pipes_before_it_refuses_connections) {
  const DescriptorNeeds none_left{.limit = 128 + 16 + 2 * 500, .max_connections = 500};
  const auto budget = plan_descriptors(none_left);
  ASSERT_TRUE(budget.has_value()) << budget.error().message;
  EXPECT_EQ(budget->pipes, 0U);
}

TEST(DescriptorBudget, says_what_is_needed_and_how_to_get_it) {
  const auto budget = plan_descriptors({.limit = 1024,
                                        .threads = 2,
                                        .listening_sockets = 4,
                                        .backends = 6,
                                        .max_connections = 10'000});
  ASSERT_FALSE(budget.has_value());
  EXPECT_THAT(budget.error().message,
              HasSubstr("max_connections 10000 needs 20170 descriptors and the limit is 1024"));
  EXPECT_THAT(budget.error().message, HasSubstr("LimitNOFILE="));
  EXPECT_THAT(budget.error().message, HasSubstr("ulimit -n"));
}

TEST(DescriptorBudget, serves_somebody_even_with_the_smallest_limit_that_will_do) {
  const auto budget = plan_descriptors({.limit = 128 + 16 + 2, .max_connections = {}});
  ASSERT_TRUE(budget.has_value());
  EXPECT_EQ(budget->max_connections, 1U);
  EXPECT_FALSE(plan_descriptors({.limit = 128 + 16 + 1, .max_connections = {}}).has_value());
}

TEST(DescriptorBudget, stays_sane_where_there_is_no_limit) {
  const auto budget =
      plan_descriptors({.limit = std::numeric_limits<std::size_t>::max(), .max_connections = {}});
  ASSERT_TRUE(budget.has_value());
  EXPECT_EQ(budget->max_connections, 1'000'000U);
  EXPECT_EQ(budget->pipes, 2'000'000U);
}

TEST(RaiseDescriptorLimit, raises_the_soft_limit_to_the_hard_one) {
  const testing::LimitScope lowered(RLIMIT_NOFILE, 64);
  const auto raised = raise_descriptor_limit();
  rlimit now{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &now), 0);
  EXPECT_EQ(now.rlim_cur, now.rlim_max);
  EXPECT_EQ(raised, now.rlim_cur);
}

}  // namespace
}  // namespace holdfast::worker
