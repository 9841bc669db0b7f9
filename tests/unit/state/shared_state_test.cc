#include "holdfast/state/shared_state.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

namespace holdfast::state {
namespace {

TEST(Name, keeps_what_fits_and_cuts_the_rest) {
  EXPECT_EQ(to_view(to_name("web-1")), "web-1");
  EXPECT_EQ(to_view(to_name("")), "");
  const std::string longest(kNameSize - 1, 'x');
  EXPECT_EQ(to_view(to_name(longest)), longest);
  EXPECT_EQ(to_view(to_name(longest + "yz")), longest);
}

TEST(Name, ends_within_its_array_even_if_the_last_byte_was_overwritten) {
  Name name;
  name.fill('x');
  EXPECT_EQ(to_view(name).size(), kNameSize - 1);
}

// The words are label values of metrics: renaming one breaks somebody's dashboard.
TEST(Words, of_health_states) {
  EXPECT_EQ(to_string(Health::unknown), "unknown");
  EXPECT_EQ(to_string(Health::up), "up");
  EXPECT_EQ(to_string(Health::down), "down");
}

// Every number below the size of the arrays that are indexed by it has a word of its own.
template <class Enum>
std::size_t different_words(std::size_t count) {
  std::set<std::string_view> words;
  for (std::size_t i = 0; i < count; ++i) {
    words.insert(to_string(static_cast<Enum>(i)));
  }
  words.erase("");
  return words.size();
}

TEST(Words, are_as_many_as_there_are_counters) {
  EXPECT_EQ(different_words<Health>(kHealthStates), kHealthStates);
  EXPECT_EQ(different_words<ConnectFailure>(kConnectFailures), kConnectFailures);
  EXPECT_EQ(different_words<CloseCause>(kCloseCauses), kCloseCauses);
  EXPECT_EQ(different_words<Rejection>(kRejections), kRejections);
}

TEST(BackendEntry, shows_relay_threads_the_published_health_only) {
  BackendEntry entry;
  entry.health.state = Health::down;
  EXPECT_EQ(entry.current_health(), Health::unknown);
  entry.published_health.set(static_cast<std::uint32_t>(Health::down));
  EXPECT_EQ(entry.current_health(), Health::down);
}

}  // namespace
}  // namespace holdfast::state
