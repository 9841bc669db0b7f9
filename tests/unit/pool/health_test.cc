#include "holdfast/pool/health.h"

#include <gtest/gtest.h>

#include <limits>
#include <string>

namespace holdfast::pool {
namespace {

using state::Health;

// A backend under checks: '+' passes, '-' fails. Says each state it came to: u(p), d(own), '.' for
// no change.
class Checked {
 public:
  Checked(unsigned rise, unsigned fall) {
    config_.rise = rise;
    config_.fall = fall;
  }

  std::string after(std::string_view checks) {
    std::string changes;
    for (const char check : checks) {
      const auto before = record.state;
      const auto change = advance_health(record, check == '+', config_);
      EXPECT_EQ(change.value_or(before), record.state);
      changes += !change ? '.' : *change == Health::up ? 'u' : 'd';
    }
    return changes;
  }

  state::HealthRecord record;

 private:
  HealthConfig config_;
};

TEST(Health, is_settled_by_the_first_check_whatever_the_thresholds) {
  EXPECT_EQ(Checked(5, 5).after("+"), "u");
  EXPECT_EQ(Checked(5, 5).after("-"), "d");
}

TEST(Health, falls_after_as_many_failures_in_a_row_as_it_takes) {
  EXPECT_EQ(Checked(2, 3).after("+---"), "u..d");
}

TEST(Health, rises_after_as_many_successes_in_a_row_as_it_takes) {
  EXPECT_EQ(Checked(2, 3).after("-++"), "d.u");
}

TEST(Health, begins_to_count_anew_after_a_check_that_came_out_otherwise) {
  EXPECT_EQ(Checked(2, 3).after("+--+--+---"), "u........d");
  EXPECT_EQ(Checked(3, 1).after("-++-++-+++"), "d........u");
}

TEST(Health, does_not_count_the_failures_before_the_rise_for_the_next_fall) {
  EXPECT_EQ(Checked(1, 3).after("---+--"), "d..u..");
}

TEST(Health, turns_at_every_check_when_one_is_enough) {
  EXPECT_EQ(Checked(1, 1).after("+-+-"), "udud");
}

TEST(Health, says_nothing_while_nothing_changes) {
  EXPECT_EQ(Checked(2, 3).after("+++++"), "u....");
  EXPECT_EQ(Checked(2, 3).after("-----"), "d....");
}

TEST(Health, keeps_a_streak_longer_than_its_counter_can_count) {
  Checked checked(100, 100);
  checked.after("-" + std::string(1000, '-'));
  EXPECT_EQ(checked.record.failures, std::numeric_limits<std::uint8_t>::max());
  EXPECT_EQ(checked.after(std::string(100, '+')), std::string(99, '.') + "u");
  checked.after(std::string(1000, '+'));
  EXPECT_EQ(checked.after(std::string(100, '-')), std::string(99, '.') + "d");
}

}  // namespace
}  // namespace holdfast::pool
