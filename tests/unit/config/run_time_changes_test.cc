#include "holdfast/config/run_time_changes.h"

#include <gmock/gmock.h>

#include <cerrno>

#include "holdfast/config/load.h"

namespace holdfast {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

const ChangeOrigin kAnna{.by = "anna", .at = 1'700'000'000'000};

Config file(const std::string& backends) {
  return load_config(
             "listeners: [{ name: web, bind: \"127.0.0.1:80\", pool: web }]\n"
             "pools: [{ name: web, backends: [" +
             backends + "] }]")
      .config.value();
}

const std::string kFirst = R"({ name: web-1, address: "10.0.0.1:80" })";
const std::string kSecond = R"({ name: web-2, address: "10.0.0.2:80", weight: 2 })";
const std::string kMoved = R"({ name: web-2, address: "10.0.0.9:80", weight: 2 })";
const std::string kHeavier = R"({ name: web-2, address: "10.0.0.2:80", weight: 3 })";
const std::string kHigher = R"({ name: web-2, address: "10.0.0.2:80", weight: 2, tier: 1 })";
const std::string kLimited =
    R"({ name: web-2, address: "10.0.0.2:80", weight: 2, max_connections: 9 })";
const std::string kRespelled =
    R"({ name: "web-2", tier: 0, weight: 2, max_connections: off, address: 10.0.0.2:80 })";

AddedBackend third(std::string_view address = "10.0.0.3:80", unsigned weight = 1) {
  return {.pool = "web",
          .name = "web-3",
          .address = Endpoint::parse(address).value(),
          .weight = weight,
          .origin = kAnna};
}

RunTimeChanges without_second(const Config& config, const RunTimeChanges& before = {}) {
  return remove_backend(config, before, "web", "web-2", kAnna).value();
}

std::vector<std::string> names(const Config& config) {
  std::vector<std::string> all;
  for (const auto& backend : config.pools.at(0).backends) {
    all.push_back(backend.name);
  }
  return all;
}

TEST(RunTimeChanges, leave_a_file_as_it_is_when_there_are_none) {
  const auto changed = with_changes(file(kFirst + "," + kSecond), {});
  EXPECT_THAT(names(changed.config), ElementsAre("web-1", "web-2"));
  EXPECT_THAT(changed.notes, IsEmpty());
}

TEST(RunTimeChanges, add_a_backend_until_it_is_removed) {
  const auto config = file(kFirst);
  const auto added = add_backend(config, {}, third("[::1]:80", 5)).value();
  const auto changed = with_changes(config, added);
  EXPECT_THAT(names(changed.config), ElementsAre("web-1", "web-3"));
  EXPECT_EQ(changed.config.pools[0].backends[1].address.to_string(), "[::1]:80");
  EXPECT_EQ(changed.config.pools[0].backends[1].weight, 5U);
  EXPECT_THAT(changed.notes,
              ElementsAre("pool web: backend web-3 stays, added by anna at run time"));
  EXPECT_EQ(remove_backend(config, added, "web", "web-3", kAnna).value(), RunTimeChanges{});
}

TEST(RunTimeChanges, end_for_an_added_backend_when_the_file_has_its_name) {
  const auto added = add_backend(file(kFirst), {}, third()).value();
  const auto changed =
      with_changes(file(kFirst + R"(,{ name: web-3, address: "10.0.0.7:80" })"), added);
  EXPECT_THAT(names(changed.config), ElementsAre("web-1", "web-3"));
  EXPECT_EQ(changed.config.pools[0].backends[1].address.to_string(), "10.0.0.7:80");
  EXPECT_EQ(changed.changes, RunTimeChanges{});
}

TEST(RunTimeChanges, keep_a_backend_removed_that_the_file_says_the_same_of) {
  const auto config = file(kFirst + "," + kSecond);
  const auto changed = with_changes(config, without_second(config));
  EXPECT_THAT(names(changed.config), ElementsAre("web-1"));
  EXPECT_EQ(changed.changes, without_second(config));
  EXPECT_THAT(changed.notes,
              ElementsAre("pool web: backend web-2 stays removed, by anna at run time"));
  const auto respelled = file(kFirst + "," + kRespelled);
  EXPECT_THAT(names(with_changes(respelled, without_second(config)).config), ElementsAre("web-1"));
}

TEST(RunTimeChanges, end_for_a_removed_backend_when_the_file_says_something_else_of_it) {
  const auto removed = without_second(file(kFirst + "," + kSecond));
  for (const auto& other : {kMoved, kHeavier, kHigher, kLimited}) {
    const auto changed = with_changes(file(kFirst + "," + other), removed);
    EXPECT_THAT(names(changed.config), ElementsAre("web-1", "web-2"));
    EXPECT_EQ(changed.changes, RunTimeChanges{});
  }
}

TEST(RunTimeChanges, end_for_a_removed_backend_that_the_file_has_no_more) {
  const auto removed = without_second(file(kFirst + "," + kSecond));
  EXPECT_EQ(with_changes(file(kFirst), removed).changes, RunTimeChanges{});
}

TEST(RunTimeChanges, end_with_their_pool) {
  auto config = file(kFirst + "," + kSecond);
  const auto both = without_second(config, add_backend(config, {}, third()).value());
  config.pools[0].name = "other";
  EXPECT_EQ(with_changes(config, both).changes, RunTimeChanges{});
}

TEST(RunTimeChanges, come_to_the_same_once_they_were_applied) {
  const auto config = file(kFirst + "," + kSecond);
  const auto both = without_second(config, add_backend(config, {}, third()).value());
  const auto once = with_changes(config, both).changes;
  EXPECT_EQ(once, both);
  EXPECT_EQ(with_changes(config, once).changes, both);
}

TEST(RunTimeChanges, take_a_removal_back_when_the_same_is_added) {
  const auto config = file(kFirst + "," + kSecond);
  auto same = third("10.0.0.2:80", 2);
  same.name = "web-2";
  EXPECT_EQ(add_backend(config, without_second(config), same).value(), RunTimeChanges{});
  EXPECT_EQ(add_backend(config, {}, same).value(), RunTimeChanges{}) << "asked for twice";
}

TEST(RunTimeChanges, refuse_a_name_that_the_file_has) {
  const auto config = file(kFirst + "," + kSecond);
  auto second = third();
  second.name = "web-2";
  const auto taken = add_backend(config, {}, second);
  EXPECT_EQ(taken.error().code, EEXIST);
  EXPECT_THAT(taken.error().message, HasSubstr("give it another name"));
  // The file's own address is what brings it back.
  const auto elsewhere = add_backend(config, without_second(config), second);
  EXPECT_EQ(elsewhere.error().code, EEXIST);
  EXPECT_THAT(elsewhere.error().message, HasSubstr("10.0.0.2:80 with weight 2"));
}

TEST(RunTimeChanges, may_be_asked_for_twice) {
  const auto config = file(kFirst + "," + kSecond);
  const auto added = add_backend(config, {}, third()).value();
  EXPECT_EQ(add_backend(config, added, third()).value(), added);
  EXPECT_EQ(add_backend(config, added, third("10.0.0.4:80")).error().code, EEXIST);
  // What differs may be any of its values.
  EXPECT_EQ(add_backend(config, added, third("10.0.0.3:80", 2)).error().message,
            "'web-3' was added already, at 10.0.0.3:80 with weight 1, tier 0 and no "
            "max_connections: remove it first, or give this one another name");
  const auto removed = without_second(config);
  EXPECT_EQ(without_second(config, removed), removed);
}

TEST(RunTimeChanges, hold_to_the_rules_of_the_file) {
  const auto config = file(kFirst);
  EXPECT_THAT(add_backend(config, {}, third("10.0.0.3:0")).error().message, HasSubstr("port 0"));
  EXPECT_EQ(add_backend(config, {}, third("10.0.0.3:80", 1001)).error().code, EINVAL);
  auto odd = third();
  odd.name = "web 3";
  EXPECT_EQ(add_backend(config, {}, odd).error().code, EINVAL);
}

// The file has changed since the backend was added.
std::vector<std::string> wrong_with(const Config& changed_file, const RunTimeChanges& changes) {
  std::vector<std::string> messages;
  for (const auto& one : diagnose(changed_file, with_changes(changed_file, changes))) {
    messages.push_back((one.severity == Diagnostic::Severity::error ? "error: " : "warning: ") +
                       one.message);
  }
  return messages;
}

TEST(RunTimeChanges, are_held_to_the_rules_of_a_file_that_has_changed) {
  const auto config = file(kFirst);
  const auto added = add_backend(config, {}, third("127.0.0.1:81")).value();
  EXPECT_THAT(wrong_with(config, added), IsEmpty());

  auto to_itself = config;
  to_itself.listeners[0].bind[0].endpoint.port = 81;
  EXPECT_THAT(wrong_with(to_itself, added),
              ElementsAre(HasSubstr("error: backend 'web-3' is its own listener 'web'")));
  EXPECT_THAT(wrong_with(to_itself, {}), IsEmpty());

  auto small = config;
  small.pools[0].balance = Balance::maglev;
  small.pools[0].hash.table_size = 1;
  EXPECT_THAT(wrong_with(small, added),
              ElementsAre("error: a table of 1 has no place for 2 backends"));
}

TEST(RunTimeChanges, are_warned_of_when_a_changed_file_leaves_a_gap_below_them) {
  auto higher = third();
  higher.tier = 2;
  const auto tiered = file(kFirst + "," + kHigher);
  const auto added = add_backend(tiered, {}, higher).value();
  EXPECT_THAT(wrong_with(tiered, added), IsEmpty());
  EXPECT_THAT(wrong_with(file(kFirst), added),
              ElementsAre("warning: pool 'web' has no backend in tier 1"));
}

TEST(RunTimeChanges, give_an_added_backend_its_tier_and_its_limit) {
  const auto config = file(kFirst);
  auto stand_by = third();
  stand_by.tier = 1;
  stand_by.max_connections = 9;
  const auto added = add_backend(config, {}, stand_by).value();
  const auto backend = with_changes(config, added).config.pools[0].backends.at(1);
  EXPECT_EQ(backend.tier, 1U);
  EXPECT_EQ(backend.max_connections, 9U);
  EXPECT_EQ(parse_run_time_changes(to_text(added)).value(), added);
  EXPECT_EQ(add_backend(config, added, stand_by).value(), added);
  EXPECT_EQ(add_backend(config, added, third()).error().code, EEXIST);
}

TEST(RunTimeChanges, refuse_a_tier_and_a_limit_that_a_file_may_not_have) {
  const auto config = file(kFirst);
  auto wrong = third();
  wrong.tier = 16;
  EXPECT_EQ(add_backend(config, {}, wrong).error().message, "a tier is 0 to 15");
  wrong = third();
  wrong.max_connections = 10'000'001;
  EXPECT_EQ(add_backend(config, {}, wrong).error().message, "max_connections is 1 to 10000000");
}

TEST(RunTimeChanges, refuse_what_a_file_is_warned_of) {
  auto config = file(kFirst);
  config.max_connections = 10;
  auto wrong = third();
  wrong.tier = 2;
  const auto gap = add_backend(config, {}, wrong).error();
  EXPECT_EQ(gap.code, EINVAL);
  EXPECT_EQ(gap.message,
            "pool 'web' has no backend in tier 1: write tier: 1, or give tier 1 a backend");
  wrong = third();
  wrong.max_connections = 11;
  EXPECT_THAT(add_backend(config, {}, wrong).error().message,
              HasSubstr("max_connections 11 is never reached"));
  // With a backend in between there is no gap.
  auto between = third();
  between.tier = 1;
  auto above = third("10.0.0.4:80");
  above.name = "web-4";
  above.tier = 2;
  const auto both = add_backend(config, add_backend(config, {}, between).value(), above);
  EXPECT_TRUE(both.has_value());
}

TEST(RunTimeChanges, take_no_removal_back_for_a_backend_of_another_tier_or_limit) {
  const auto config = file(kFirst + "," + kLimited);
  auto same = third("10.0.0.2:80", 2);
  same.name = "web-2";
  EXPECT_THAT(add_backend(config, without_second(config), same).error().message,
              HasSubstr("with weight 2, tier 0 and max_connections 9: add it as that"));
  same.max_connections = 9;
  EXPECT_EQ(add_backend(config, without_second(config), same).value(), RunTimeChanges{});
}

TEST(RunTimeChanges, suggest_what_may_be_meant) {
  const auto config = file(kFirst + "," + kSecond);
  auto lost = third();
  lost.pool = "wbe";
  const auto no_pool = add_backend(config, {}, lost).error();
  EXPECT_EQ(no_pool.code, ENOENT);
  EXPECT_EQ(no_pool.message, "there is no pool 'wbe': did you mean 'web'?");
  const auto no_backend = remove_backend(config, {}, "web", "web-22", kAnna).error();
  EXPECT_EQ(no_backend.code, ENOENT);
  EXPECT_EQ(no_backend.message,
            "there is no backend 'web-22' in pool 'web': did you mean 'web-2'?");
}

TEST(RunTimeChanges, are_read_as_they_were_written) {
  const auto config = file(kFirst + "," + kSecond);
  const auto both = without_second(config, add_backend(config, {}, third("unix:/run/x")).value());
  EXPECT_EQ(parse_run_time_changes(to_text(both)).value(), both);
}

TEST(RunTimeChanges, are_refused_when_they_are_no_such_text) {
  for (const auto* text : {"", "[]", "{}", R"({"added":[{"pool":"web"}],"removed":[]})",
                           R"({"added":[],"removed":7})", "{\"added\":[],\"removed\":"}) {
    EXPECT_FALSE(parse_run_time_changes(text).has_value()) << text;
  }
}

}  // namespace
}  // namespace holdfast
