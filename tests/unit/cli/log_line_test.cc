#include "cli/log_line.h"

#include <gmock/gmock.h>
#include <spdlog/sinks/ostream_sink.h>

#include <sstream>

#include "holdfast/base/log.h"

namespace holdfast::cli {
namespace {

using testing::Pair;

TEST(LogLine, takes_event_and_fields_apart) {
  const auto line = LogLine::parse(
      "2026-11-23T08:20:11.123Z warning backend down pool=web backend=web-2 "
      "reason=\"connection refused\" check_ms=0.4 up=2/3");

  ASSERT_TRUE(line);
  EXPECT_EQ(line->level, "warning");
  EXPECT_EQ(line->event, "backend down");
  EXPECT_EQ(line->field("backend"), "web-2");
  EXPECT_EQ(line->field("reason"), "connection refused");
  EXPECT_EQ(line->field("up"), "2/3");
  EXPECT_EQ(line->field("missing"), "");
}

TEST(LogLine, takes_an_event_without_fields) {
  const auto line = LogLine::parse("2026-11-23T08:20:11.123Z info ready");

  ASSERT_TRUE(line);
  EXPECT_EQ(line->event, "ready");
  EXPECT_TRUE(line->fields.empty());
}

TEST(LogLine, reads_back_what_the_log_writes) {
  std::ostringstream text;
  Log log(std::make_shared<spdlog::sinks::ostream_sink_st>(text));
  log.error("two words", {{"empty", ""}, {"quotes", R"(a "b" \ c=d)"}, {"number", 7}});

  auto written = text.str();
  written.pop_back();  // the line end
  const auto line = LogLine::parse(written);

  ASSERT_TRUE(line) << written;
  EXPECT_EQ(line->level, "error");
  EXPECT_EQ(line->event, "two words");
  EXPECT_THAT(line->fields,
              testing::ElementsAre(Pair("empty", ""), Pair("quotes", R"(a "b" \ c=d)"),
                                   Pair("number", "7")));
}

TEST(LogLine, leaves_escaped_control_characters_escaped) {
  const auto line = LogLine::parse(R"(2026-11-23T08:20:11.123Z info x a="\x1b[31m")");

  ASSERT_TRUE(line);
  EXPECT_EQ(line->field("a"), R"(\x1b[31m)");
}

TEST(LogLine, refuses_lines_of_others) {
  for (const auto* line :
       {"", "==1234==ERROR: AddressSanitizer", "error: no such file", "2026-11-23T08:20:11.123Z",
        "2026-11-23T08:20:11.123Z notice x", "2026-11-23T08:20:11.123Z info x a=\"no end"}) {
    EXPECT_FALSE(LogLine::parse(line)) << line;
  }
}

}  // namespace
}  // namespace holdfast::cli
