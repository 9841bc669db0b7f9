#include "config/reader.h"

#include <gmock/gmock.h>

namespace holdfast {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

struct Meal {
  unsigned plates = 1;
  std::string dish = "soup";
};

const std::vector<Reader::Key<Meal>> kKeys = {
    {"plates", false,
     [](Reader& r, const YAML::Node& n, Meal& meal) { r.number(n, 1, 9, meal.plates); }},
    {"dish", true,
     [](Reader& r, const YAML::Node& n, Meal& meal) { meal.dish = r.text(n).value_or("nothing"); }},
};

class ReaderTest : public ::testing::Test {
 protected:
  Meal read(const std::string& text) {
    Meal meal;
    Reader(diagnostics_).mapping(YAML::Load(text), "meal", kKeys, meal);
    return meal;
  }

  // "line:column+length: message | help" of each.
  [[nodiscard]] std::vector<std::string> said() const {
    std::vector<std::string> all;
    for (const auto& one : diagnostics_) {
      all.push_back(std::to_string(one.mark.line) + ":" + std::to_string(one.mark.column) + "+" +
                    std::to_string(one.length) + ": " + one.message +
                    (one.help.empty() ? "" : " | " + one.help));
    }
    return all;
  }

  Diagnostics diagnostics_;
};

TEST_F(ReaderTest, reads_the_keys_in_any_order) {
  const auto meal = read("dish: stew\nplates: 4\n");

  EXPECT_EQ(meal.dish, "stew");
  EXPECT_EQ(meal.plates, 4U);
  EXPECT_THAT(said(), IsEmpty());
}

TEST_F(ReaderTest, leaves_the_default_of_an_optional_key) {
  EXPECT_EQ(read("dish: stew").plates, 1U);
  EXPECT_THAT(said(), IsEmpty());
}

TEST_F(ReaderTest, misses_a_required_key) {
  read("plates: 2");

  EXPECT_THAT(said(), ElementsAre("1:1+1: 'dish' is missing in meal"));
}

TEST_F(ReaderTest, suggests_a_key_for_an_unknown_one_and_reads_the_rest) {
  const auto meal = read("plate: 2\ndish: stew\n");

  EXPECT_EQ(meal.dish, "stew");
  EXPECT_THAT(said(), ElementsAre("1:1+5: unknown key 'plate' in meal | did you mean 'plates'?"));
}

TEST_F(ReaderTest, refuses_a_key_that_stands_twice) {
  const auto meal = read("dish: stew\nplates: 2\nplates: 3\n");

  EXPECT_EQ(meal.plates, 2U);
  EXPECT_THAT(said(), ElementsAre("3:1+6: 'plates' stands twice in meal | remove one of them"));
}

TEST_F(ReaderTest, points_at_the_key_whose_value_is_missing) {
  const auto meal = read("dish:\nplates: 2\n");

  EXPECT_EQ(meal.dish, "soup");
  EXPECT_THAT(said(), ElementsAre("1:1+4: 'dish' has no value"));
}

TEST_F(ReaderTest, refuses_merge_keys_instead_of_ignoring_them) {
  read("dish: stew\n<<: { plates: 2 }\n");

  EXPECT_THAT(said(), ElementsAre("2:1+2: merge keys are not supported | write the keys out; "
                                  "anchors and aliases work"));
}

TEST_F(ReaderTest, reads_a_value_through_an_alias) {
  const auto meal = read("plates: &some 3\ndish: *some\n");

  EXPECT_EQ(meal.plates, 3U);
  EXPECT_EQ(meal.dish, "3");
  EXPECT_THAT(said(), IsEmpty());
}

TEST_F(ReaderTest, refuses_a_key_that_is_no_word) {
  read("dish: stew\n? [a, b]\n: 1\n");

  EXPECT_THAT(said(), ElementsAre("2:3+1: a key in meal must be a word"));
}

TEST_F(ReaderTest, wants_a_mapping_where_a_mapping_belongs) {
  read("- dish\n");
  read("dish");

  EXPECT_THAT(said(), ElementsAre("1:1+1: meal must be a mapping of keys to values | its keys are "
                                  "plates, dish",
                                  "1:1+4: meal must be a mapping of keys to values | its keys are "
                                  "plates, dish"));
}

TEST_F(ReaderTest, wants_a_single_value_where_one_belongs) {
  read("dish: [stew, soup]\nplates: { a: 1 }\n");

  EXPECT_THAT(said(), ElementsAre("1:7+1: a single value is expected here",
                                  "2:9+1: a single value is expected here"));
}

TEST_F(ReaderTest, goes_on_after_an_error) {
  read("plate: 2\nplates: 10\nplates: x\n");

  EXPECT_THAT(said(), ElementsAre("1:1+5: unknown key 'plate' in meal | did you mean 'plates'?",
                                  "2:9+2: '10' is not a whole number from 1 to 9",
                                  "3:1+6: 'plates' stands twice in meal | remove one of them",
                                  "1:1+1: 'dish' is missing in meal"));
}

class NotANumber : public ReaderTest, public ::testing::WithParamInterface<const char*> {};

TEST_P(NotANumber, is_refused_and_the_default_stays) {
  const std::string given = GetParam();
  const auto meal = read("dish: stew\nplates: " + given + "\n");

  EXPECT_EQ(meal.plates, 1U);
  EXPECT_THAT(said(), ElementsAre("2:9+" + std::to_string(given.size()) + ": '" + given +
                                  "' is not a whole number from 1 to 9"));
}

INSTANTIATE_TEST_SUITE_P(Reader, NotANumber,
                         ::testing::Values("0", "10", "-1", "+2", "2.0", "0x2", "2 3", "two",
                                           "99999999999999999999", "-99999999999999999999"));

TEST_F(ReaderTest, reads_a_list_item_by_item) {
  std::vector<std::string> items;
  Reader reader(diagnostics_);
  reader.list(YAML::Load("[a, b]"), "dishes", 2, [&](const YAML::Node& node, std::size_t place) {
    items.push_back(std::to_string(place) + *reader.text(node));
  });

  EXPECT_THAT(items, ElementsAre("0a", "1b"));
  EXPECT_THAT(said(), IsEmpty());
}

TEST_F(ReaderTest, reads_no_more_items_than_there_may_be) {
  std::size_t items = 0;
  Reader(diagnostics_)
      .list(YAML::Load("[a, b, c, d]"), "dishes", 2,
            [&](const YAML::Node&, std::size_t) { ++items; });

  EXPECT_EQ(items, 2U);
  EXPECT_THAT(said(), ElementsAre("1:8+1: dishes has more than 2 entries"));
}

TEST_F(ReaderTest, wants_a_list_where_a_list_belongs) {
  Reader(diagnostics_).list(YAML::Load("{ a: b }"), "dishes", 2, [](const auto&, std::size_t) {
    ADD_FAILURE() << "that is no item";
  });

  EXPECT_THAT(said(), ElementsAre("1:1+1: dishes must be a list"));
}

TEST_F(ReaderTest, reads_one_word_of_several) {
  auto value = CheckType::tcp;
  Reader reader(diagnostics_);

  reader.word(YAML::Load("none"), value);
  EXPECT_EQ(value, CheckType::none);
  reader.word(YAML::Load("tpc"), value);
  EXPECT_EQ(value, CheckType::none);
  EXPECT_THAT(said(), ElementsAre("1:1+3: unknown value 'tpc' | did you mean 'tcp'?"));
}

TEST_F(ReaderTest, keeps_a_duration_within_its_limits) {
  Milliseconds value{};
  Reader reader(diagnostics_);
  const auto read_duration = [&](const char* text) {
    reader.duration(YAML::Load(text), Milliseconds(10), Milliseconds(2000), value);
    return value.count();
  };

  EXPECT_EQ(read_duration("10ms"), 10);
  EXPECT_EQ(read_duration("2s"), 2000);
  EXPECT_EQ(read_duration("9ms"), 2000);
  EXPECT_EQ(read_duration("2001ms"), 2000);
  EXPECT_THAT(said(), ElementsAre("1:1+3: '9ms' is not between 10ms and 2s",
                                  "1:1+6: '2001ms' is not between 10ms and 2s"));
}

TEST_F(ReaderTest, leaves_an_address_that_is_none) {
  Endpoint value{.kind = Endpoint::Kind::inet, .host = "kept", .port = 1, .path = {}};
  Reader(diagnostics_).endpoint(YAML::Load("8080"), value);

  EXPECT_EQ(value.host, "kept");
  EXPECT_THAT(said(), ElementsAre("1:1+4: '8080' is not an address: write host:port, [ipv6]:port "
                                  "or unix:/path"));
}

}  // namespace
}  // namespace holdfast
