#include "health/agent_line.h"

#include <gtest/gtest.h>

namespace holdfast::health {
namespace {

using state::AgentState;

AgentReport parse(std::string_view line) {
  const auto report = parse_agent_line(line);
  EXPECT_TRUE(report) << (report ? "" : report.error().message);
  return report.value_or(AgentReport{});
}

std::string refusal(std::string_view line) {
  const auto report = parse_agent_line(line);
  EXPECT_FALSE(report) << line;
  return report ? "" : report.error().message;
}

TEST(AgentLine, says_whether_the_backend_is_up) {
  EXPECT_EQ(parse("up").up, true);
  for (const auto* word : {"down", "fail", "failed", "stopped"}) {
    const auto report = parse(word);
    EXPECT_EQ(report.up, false);
    EXPECT_EQ(report.reason, std::string("agent says ") + word);
    EXPECT_FALSE(report.wish);
    EXPECT_FALSE(report.weight_percent);
  }
}

TEST(AgentLine, says_whether_new_connections_are_wanted) {
  EXPECT_EQ(parse("ready").wish, AgentState::ready);
  EXPECT_EQ(parse("drain").wish, AgentState::drain);
  EXPECT_EQ(parse("maint").wish, AgentState::maint);
  EXPECT_FALSE(parse("drain").up);
}

TEST(AgentLine, says_what_share_of_its_weight_the_backend_wants) {
  EXPECT_EQ(parse("75%").weight_percent, 75U);
  EXPECT_EQ(parse("0%").weight_percent, 0U);
  EXPECT_EQ(parse("1000%").weight_percent, 1000U);
}

TEST(AgentLine, has_words_separated_by_spaces_tabs_and_commas) {
  for (const auto* line : {"up ready 50%", "up,ready,50%", "  up\tready , 50%,", "50% ready up"}) {
    const auto report = parse(line);
    EXPECT_EQ(report.up, true) << line;
    EXPECT_EQ(report.wish, AgentState::ready) << line;
    EXPECT_EQ(report.weight_percent, 50U) << line;
  }
}

TEST(AgentLine, has_words_in_any_case) {
  EXPECT_EQ(parse("UP Ready 50%").up, true);
  EXPECT_EQ(parse("Up DRAIN").wish, AgentState::drain);
  EXPECT_EQ(parse("MaxConn:30 up").up, true);
  EXPECT_EQ(parse("DOWN#Disk Full").reason, "agent says down: Disk Full");
}

TEST(AgentLine, may_end_with_a_description) {
  EXPECT_EQ(parse("down#disk full, sorry").reason, "agent says down: disk full, sorry");
  EXPECT_EQ(parse("drain # backup at 3").reason, "agent says  backup at 3");
  EXPECT_EQ(parse("failed #").reason, "agent says failed");
}

TEST(AgentLine, goes_by_the_last_of_words_that_contradict_each_other) {
  EXPECT_EQ(parse("up down").up, false);
  EXPECT_EQ(parse("maint ready").wish, AgentState::ready);
  EXPECT_EQ(parse("10% 20%").weight_percent, 20U);
}

TEST(AgentLine, may_have_a_connection_limit_that_means_nothing_here) {
  EXPECT_EQ(parse("maxconn:30 up").up, true);
}

TEST(AgentLine, is_refused_with_what_is_not_understood) {
  EXPECT_EQ(refusal("upp"), "agent says 'upp', which isn't understood");
  EXPECT_EQ(refusal("up 50"), "agent says '50', which isn't understood");
  EXPECT_EQ(refusal("UPP"), "agent says 'UPP', which isn't understood");
  EXPECT_EQ(refusal("%"), "agent says '%', which isn't understood");
  EXPECT_EQ(refusal("-5%"), "agent says '-5%', which isn't understood");
  EXPECT_EQ(refusal("1001%"), "agent says '1001%', which isn't understood");
  EXPECT_EQ(refusal("99999999999999999999%"),
            "agent says '99999999999999999999%', which isn't understood");
  EXPECT_EQ(refusal("maxconn:x"), "agent says 'maxconn:x', which isn't understood");
}

TEST(AgentLine, without_a_word_is_refused) {
  for (const auto* line : {"", "   ", ",,", "#up"}) {
    EXPECT_EQ(refusal(line), "agent says nothing") << line;
  }
}

TEST(AgentLine, puts_nothing_unprintable_into_a_reason) {
  EXPECT_EQ(parse("down#a\x1b[2Jb\xc3\xa9").reason, "agent says down: a.[2Jb..");
  EXPECT_EQ(refusal(std::string_view("\0x", 2)), "agent says '.x', which isn't understood");
  EXPECT_LT(parse("down#" + std::string(1000, 'a')).reason.size(), 100U);
}

}  // namespace
}  // namespace holdfast::health
