#include "holdfast/discovery/resolver.h"

#include <gtest/gtest.h>
#include <netdb.h>

namespace holdfast::discovery {
namespace {

// A label has at most 63 bytes (RFC 1035, 2.3.4): nobody needs to be asked.
const std::string kImpossible = std::string(64, 'x') + ".invalid";

TEST(Resolve, finds_localhost_by_its_ipv4_address_and_without_a_port) {
  const auto answers = resolve({"localhost"});
  ASSERT_EQ(answers.size(), 1U);
  const auto& answer = answers.at("localhost");
  ASSERT_TRUE(answer.has_value()) << answer.error().message;
  EXPECT_EQ(answer->to_string(), "127.0.0.1:0");
}

TEST(Resolve, says_why_a_name_has_no_address) {
  const auto answers = resolve({kImpossible});
  ASSERT_EQ(answers.size(), 1U);
  const auto& answer = answers.at(kImpossible);
  ASSERT_FALSE(answer.has_value());
  EXPECT_NE(answer.error().code, 0);
  EXPECT_EQ(answer.error().message, ::gai_strerror(answer.error().code));
}

TEST(Resolve, answers_the_other_names_when_one_fails) {
  const auto answers = resolve({kImpossible, "localhost"});
  EXPECT_FALSE(answers.at(kImpossible).has_value());
  EXPECT_TRUE(answers.at("localhost").has_value());
}

TEST(Resolve, answers_every_name_when_there_are_more_than_are_asked_at_once) {
  std::set<std::string> names;
  for (int i = 1; i <= 200; ++i) {
    names.insert("127.0.0." + std::to_string(i));
  }
  const auto answers = resolve(names);
  ASSERT_EQ(answers.size(), names.size());
  for (const auto& [name, answer] : answers) {
    ASSERT_TRUE(answer.has_value()) << name;
    EXPECT_EQ(answer->to_string(), name + ":0");
  }
}

TEST(Resolve, takes_what_there_is_when_there_is_no_ipv4_address) {
  EXPECT_EQ(resolve({"::1"}).at("::1")->to_string(), "[::1]:0");
}

TEST(Resolve, has_nothing_to_say_when_nothing_is_asked) {
  EXPECT_TRUE(resolve({}).empty());
}

}  // namespace
}  // namespace holdfast::discovery
