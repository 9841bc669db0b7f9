#include "health/agent_effect.h"

#include <gtest/gtest.h>

namespace holdfast::health {
namespace {

using state::AgentState;

AgentReport wish(AgentState state) {
  AgentReport report;
  report.wish = state;
  return report;
}

AgentReport weight(unsigned percent) {
  AgentReport report;
  report.weight_percent = percent;
  return report;
}

TEST(AgentRecord, of_nothing_said_changes_nothing) {
  const state::AgentRecord record;
  EXPECT_EQ(record.current_state(), AgentState::ready);
  EXPECT_EQ(record.percent(), 100U);
  EXPECT_TRUE(record.admits());
  EXPECT_EQ(record.share_of(7), 7U);
}

TEST(AgentEffect, is_told_when_something_changes) {
  state::AgentRecord record;
  EXPECT_FALSE(apply_report(wish(AgentState::ready), record));
  EXPECT_TRUE(apply_report(wish(AgentState::drain), record));
  EXPECT_FALSE(apply_report(wish(AgentState::drain), record));
  EXPECT_TRUE(apply_report(weight(50), record));
  EXPECT_FALSE(apply_report(weight(50), record));
  EXPECT_FALSE(apply_report({}, record)) << "what isn't mentioned stays";
  EXPECT_EQ(record.current_state(), AgentState::drain);
  EXPECT_EQ(record.percent(), 50U);
}

TEST(AgentEffect, of_drain_and_maint_is_taken_back_by_ready) {
  state::AgentRecord record;
  for (const auto state : {AgentState::drain, AgentState::maint}) {
    EXPECT_TRUE(apply_report(wish(state), record));
    EXPECT_FALSE(record.admits());
    EXPECT_TRUE(apply_report(wish(AgentState::ready), record));
    EXPECT_TRUE(record.admits());
  }
}

TEST(AgentEffect, of_a_weight_is_a_share_of_the_configured_one) {
  state::AgentRecord record;
  apply_report(weight(25), record);
  EXPECT_EQ(record.share_of(100), 25U);
  EXPECT_EQ(record.share_of(8), 2U);
  EXPECT_EQ(record.share_of(1), 1U) << "less than 1 would be none at all";
  EXPECT_EQ(record.share_of(0), 0U);
  apply_report(weight(1000), record);
  EXPECT_EQ(record.share_of(1000), 10'000U);
}

TEST(AgentEffect, of_weight_0_is_that_no_new_connections_come) {
  state::AgentRecord record;
  apply_report(weight(0), record);
  EXPECT_FALSE(record.admits());
  EXPECT_EQ(record.share_of(100), 0U);
}

}  // namespace
}  // namespace holdfast::health
