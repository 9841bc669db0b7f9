#include "cli/scrape.h"

#include <gmock/gmock.h>

namespace holdfast::cli {
namespace {

using testing::Optional;

constexpr std::string_view kMetrics =
    "# HELP holdfast_pool_failovers_total Connections retried\n"
    "# TYPE holdfast_pool_failovers_total counter\n"
    "holdfast_pool_failovers_total{pool=\"webmail\"} 7\n"
    "holdfast_pool_failovers_total{pool=\"web\"} 31\n"
    "holdfast_connections 1.5e+03\n"
    "holdfast_connections_recovered_total 2";

TEST(FindSample, finds_the_series_with_just_these_labels) {
  EXPECT_THAT(find_sample(kMetrics, "holdfast_pool_failovers_total{pool=\"web\"}"), Optional(31));
}

TEST(FindSample, reads_numbers_as_prometheus_writes_them) {
  EXPECT_THAT(find_sample(kMetrics, "holdfast_connections"), Optional(1500));
  EXPECT_THAT(find_sample(kMetrics, "holdfast_connections_recovered_total"), Optional(2));
}

TEST(FindSample, has_nothing_for_what_is_not_there) {
  EXPECT_EQ(find_sample(kMetrics, "holdfast_pool_failovers_total{pool=\"mail\"}"), std::nullopt);
  EXPECT_EQ(find_sample("", "holdfast_connections"), std::nullopt);
}

}  // namespace
}  // namespace holdfast::cli
