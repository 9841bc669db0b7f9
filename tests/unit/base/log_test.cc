#include "holdfast/base/log.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <thread>
#include <vector>

#include "support/text_log.h"

namespace holdfast {
namespace {

using namespace std::chrono_literals;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::MatchesRegex;

TEST(QuoteLogValue, leaves_plain_text_bare) {
  for (const auto* text : {"web-1", "10.0.0.1:80", "[::1]:80", "50%", "a'b", "~!@#$^&*()"}) {
    EXPECT_EQ(quote_log_value(text), text);
  }
}

TEST(QuoteLogValue, quotes_what_would_end_or_begin_a_value) {
  EXPECT_EQ(quote_log_value(""), R"("")");
  EXPECT_EQ(quote_log_value("connection refused"), R"("connection refused")");
  EXPECT_EQ(quote_log_value("a=b"), R"("a=b")");
}

TEST(QuoteLogValue, escapes_quotes_and_backslashes) {
  EXPECT_EQ(quote_log_value(R"(say "hi")"), R"("say \"hi\"")");
  EXPECT_EQ(quote_log_value(R"(C:\)"), R"("C:\\")");
}

TEST(QuoteLogValue, escapes_everything_but_printable_ascii) {
  EXPECT_EQ(quote_log_value("a\nb"), R"("a\nb")");
  EXPECT_EQ(quote_log_value("\r\t\x1b[31m"), R"("\x0d\x09\x1b[31m")");
  EXPECT_EQ(quote_log_value("\x7f"), R"("\x7f")");
  EXPECT_EQ(quote_log_value("ä"), R"("\xc3\xa4")");
  EXPECT_EQ(quote_log_value(std::string_view("a\0b", 3)), R"("a\x00b")");
}

TEST(Log, writes_time_level_event_and_fields_on_one_line) {
  testing::TextLog text;
  text.log().info("backend up", {{"pool", "web"}, {"check_ms", 1.25}, {"up", 2}});
  EXPECT_THAT(text.text(), MatchesRegex("[0-9-]{10}T[0-9:]{8}\\.[0-9]{3}Z info backend up pool=web "
                                        "check_ms=1\\.[23] up=2\n"));
}

// Log injection: scar 43 and the like.
TEST(Log, writes_one_line_whatever_a_peer_says) {
  testing::TextLog text;
  const std::string evil = "x\" level=info\n2026-01-01T00:00:00.000Z error worker died\r\n";
  text.log().warning("connection failed", {{"reason", evil}, {"peer", "a b=c"}});
  const auto written = text.text();
  EXPECT_EQ(std::count(written.begin(), written.end(), '\n'), 1);
  EXPECT_EQ(written.find('\r'), std::string::npos);
  EXPECT_THAT(written,
              EndsWith(R"(connection failed reason="x\" level=info\n2026-01-01T00:00:00.000Z )"
                       R"(error worker died\x0d\n" peer="a b=c")"
                       "\n"));
}

TEST(Log, takes_braces_and_percent_signs_as_text) {
  testing::TextLog text;
  text.log().error("event {} %v", {{"reason", "{0} %s%n"}});
  EXPECT_THAT(text.text(), EndsWith("event {} %v reason=\"{0} %s%n\"\n"));
}

TEST(Log, writes_from_its_level_on) {
  testing::TextLog text;
  text.log().debug("too quiet by default");
  text.log().set_level(LogLevel::warning);
  text.log().info("too quiet now");
  text.log().warning("loud");
  text.log().error("louder");
  EXPECT_THAT(text.text(), HasSubstr("warning loud\n"));
  EXPECT_THAT(text.text(), HasSubstr("error louder\n"));
  EXPECT_EQ(text.text().find("quiet"), std::string::npos);
  EXPECT_FALSE(text.log().enabled(LogLevel::info));
  EXPECT_TRUE(text.log().enabled(LogLevel::warning));
}

TEST(Log, keeps_the_lines_of_several_threads_apart) {
  testing::TextLog text;
  std::vector<std::thread> threads;
  threads.reserve(4);
  for (int thread = 0; thread < 4; ++thread) {
    threads.emplace_back([&text, thread] {
      for (int i = 0; i < 100; ++i) {
        text.log().info("event", {{"thread", thread}, {"pad", std::string(200, 'x')}});
      }
    });
  }
  for (auto& thread : threads) {
    thread.join();
  }
  std::istringstream lines(text.text());
  int count = 0;
  for (std::string line; std::getline(lines, line); ++count) {
    EXPECT_THAT(line, EndsWith(" pad=" + std::string(200, 'x')));
    EXPECT_EQ(line.find("event"), line.rfind("event"));
  }
  EXPECT_EQ(count, 400);
}

TEST(LogLimit, lets_one_event_through_a_minute) {
  LogLimit limit(1min);
  std::uint64_t suppressed = 0;
  const TimePoint start(1h);
  EXPECT_TRUE(limit.allow(start, suppressed));
  EXPECT_FALSE(limit.allow(start, suppressed));
  EXPECT_FALSE(limit.allow(start + 1min - 1ns, suppressed));
  EXPECT_TRUE(limit.allow(start + 1min, suppressed));
  EXPECT_FALSE(limit.allow(start + 1min + 1s, suppressed));
}

TEST(LogLimit, says_how_many_it_held_back_since_the_last) {
  LogLimit limit(1min);
  std::uint64_t suppressed = 99;
  const TimePoint start(1h);
  EXPECT_TRUE(limit.allow(start, suppressed));
  EXPECT_EQ(suppressed, 0U);
  for (int i = 0; i < 3; ++i) {
    EXPECT_FALSE(limit.allow(start + 1s, suppressed));
  }
  EXPECT_TRUE(limit.allow(start + 2min, suppressed));
  EXPECT_EQ(suppressed, 3U);
  EXPECT_TRUE(limit.allow(start + 3min, suppressed));
  EXPECT_EQ(suppressed, 0U);
}

TEST(LogLimit, begins_a_new_interval_with_the_event_it_lets_through) {
  LogLimit limit(1min);
  std::uint64_t suppressed = 0;
  const TimePoint start(1h);
  ASSERT_TRUE(limit.allow(start, suppressed));
  ASSERT_TRUE(limit.allow(start + 90s, suppressed));
  EXPECT_FALSE(limit.allow(start + 2min, suppressed)) << "a minute after 90 s is 150 s";
}

// scar 37: 32 bits of milliseconds wrap after 49.7 days.
TEST(LogLimit, keeps_its_pace_beyond_the_day_when_32_bits_of_milliseconds_wrap) {
  LogLimit limit(1min);
  std::uint64_t suppressed = 0;
  const TimePoint wrap(std::chrono::milliseconds(1LL << 32));
  ASSERT_TRUE(limit.allow(wrap - 30s, suppressed));
  EXPECT_FALSE(limit.allow(wrap, suppressed));
  EXPECT_FALSE(limit.allow(wrap + 29s, suppressed));
  EXPECT_TRUE(limit.allow(wrap + 30s, suppressed));
  EXPECT_EQ(suppressed, 2U);
}

}  // namespace
}  // namespace holdfast
