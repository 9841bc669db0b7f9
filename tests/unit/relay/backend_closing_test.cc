#include "relay/backend_closing.h"

#include <gtest/gtest.h>

#include <set>

namespace holdfast::relay {
namespace {

constexpr std::uint64_t kConnections = 10'000;

std::set<std::uint64_t> due(double share, std::uint64_t seed = 1) {
  std::set<std::uint64_t> ids;
  for (std::uint64_t id = 1; id <= kConnections; ++id) {
    state::ConnectionRecord record;
    record.id = id;
    if (is_due(record, {.share = share, .seed = seed})) {
      ids.insert(id);
    }
  }
  return ids;
}

TEST(BackendClosing, takes_none_at_the_beginning_and_all_at_the_end) {
  EXPECT_TRUE(due(0).empty());
  EXPECT_EQ(due(1).size(), kConnections);
}

TEST(BackendClosing, takes_about_the_share_that_is_due) {
  for (const double share : {0.02, 0.1, 0.5, 0.9}) {
    EXPECT_NEAR(static_cast<double>(due(share).size()), share * kConnections, 0.02 * kConnections);
  }
}

TEST(BackendClosing, never_takes_back_whom_it_has_taken) {
  const auto sooner = due(0.3);
  const auto later = due(0.6);
  EXPECT_TRUE(std::includes(later.begin(), later.end(), sooner.begin(), sooner.end()));
}

TEST(BackendClosing, takes_others_first_at_another_time) {
  EXPECT_NE(due(0.1, 1), due(0.1, 2));
}

TEST(BackendClosing, does_not_go_by_who_came_first) {
  const auto first = due(0.5);
  const auto of_older_half = std::distance(first.begin(), first.lower_bound(kConnections / 2));
  EXPECT_NEAR(static_cast<double>(of_older_half), kConnections / 4.0, 0.02 * kConnections);
}

}  // namespace
}  // namespace holdfast::relay
