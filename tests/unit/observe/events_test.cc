#include "holdfast/observe/events.h"

#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

#include "support/test_state.h"

namespace holdfast::observe {
namespace {

using state::EventKind;
using testing::TestState;

TEST(Events, of_a_fresh_region_are_an_empty_list) {
  const TestState state;
  EXPECT_EQ(render_events(state.shared()), "[]\n");
}

TEST(Events, are_listed_newest_last_each_with_its_fields_in_order) {
  const TestState state;
  state.shared().events.write(EventKind::started, {});
  state.shared().events.write(EventKind::worker_died, {{"cause", "killed"}, {"connections", 7}});

  const auto list = nlohmann::ordered_json::parse(render_events(state.shared()));

  ASSERT_EQ(list.size(), 2U);
  EXPECT_EQ(list[0]["number"], 1);
  EXPECT_EQ(list[0]["event"], "started");
  EXPECT_EQ(list[0]["fields"].dump(), "{}");
  EXPECT_EQ(list[1]["number"], 2);
  EXPECT_EQ(list[1]["event"], "worker_died");
  EXPECT_EQ(list[1]["fields"].dump(), R"({"cause":"killed","connections":"7"})");
}

TEST(Events, say_when_in_the_form_that_the_log_has) {
  const TestState state;
  state.shared().events.write(EventKind::stopping, {});

  const auto list = nlohmann::json::parse(render_events(state.shared()));

  EXPECT_THAT(list[0]["time"].get<std::string>(),
              ::testing::MatchesRegex(
                  "2[0-9]{3}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\\.[0-9]{3}Z"));
}

// "log injection from any outside text"
TEST(Events, escape_what_comes_from_outside) {
  const TestState state;
  const std::string_view wild = "\"}],\\\x01\xff=a=b";
  state.shared().events.write(EventKind::backend_down, {{"reason", wild}, {"after", 1}});

  const auto text = render_events(state.shared());
  const auto list = nlohmann::json::parse(text);

  EXPECT_EQ(list[0]["fields"]["reason"], "\"}],\\\x01\xef\xbf\xbd=a=b");
  EXPECT_EQ(list[0]["fields"]["after"], "1");
  EXPECT_EQ(text.find('\x01'), std::string::npos);
}

}  // namespace
}  // namespace holdfast::observe
