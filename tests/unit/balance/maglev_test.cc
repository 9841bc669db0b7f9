#include "holdfast/balance/maglev.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <string>

#include "holdfast/balance/hash.h"

namespace holdfast::balance {
namespace {

using Members = std::vector<MaglevTable::Member>;

constexpr std::size_t kSize = 65'537;

Members equals(int count) {
  Members members;
  for (int i = 1; i <= count; ++i) {
    members.push_back({"web-" + std::to_string(i), 1});
  }
  return members;
}

// The names in the table, entry by entry.
std::vector<std::string> names_in(const Members& members, std::size_t size = kSize) {
  const MaglevTable table(members, size);
  std::vector<std::string> names;
  for (std::size_t entry = 0; entry < table.size(); ++entry) {
    names.push_back(members[table.at(entry)].name);
  }
  return names;
}

std::map<std::string, std::size_t> shares_of(const Members& members, std::size_t size = kSize) {
  std::map<std::string, std::size_t> shares;
  for (const auto& name : names_in(members, size)) {
    ++shares[name];
  }
  return shares;
}

std::size_t differences(const std::vector<std::string>& a, const std::vector<std::string>& b) {
  std::size_t count = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    count += a[i] != b[i] ? 1 : 0;
  }
  return count;
}

TEST(Maglev, fills_every_entry) {
  for (const std::size_t size : {2U, 3U, 7U, 251U}) {
    EXPECT_EQ(names_in(equals(2), size).size(), size);
  }
}

TEST(Maglev, has_no_entries_without_members_of_weight) {
  EXPECT_TRUE(MaglevTable({}, 7).is_empty());
  EXPECT_TRUE(MaglevTable(Members{{"web-1", 0}}, 7).is_empty());
}

TEST(Maglev, gives_equals_the_same_number_of_entries_but_one) {
  for (const int count : {1, 3, 10, 100, 1000}) {
    const auto shares = shares_of(equals(count));
    ASSERT_EQ(shares.size(), static_cast<std::size_t>(count));
    const auto [least, most] =
        std::ranges::minmax_element(shares, {}, [](const auto& share) { return share.second; });
    EXPECT_LE(most->second - least->second, 1U) << count;
  }
}

TEST(Maglev, gives_each_its_weight) {
  const auto shares = shares_of({{"a", 1}, {"b", 2}, {"c", 5}, {"d", 0}, {"e", 1000}});
  const double unit = kSize / 1008.0;
  EXPECT_NEAR(static_cast<double>(shares.at("a")), unit, unit * 0.05);
  EXPECT_NEAR(static_cast<double>(shares.at("b")), 2 * unit, unit * 0.05);
  EXPECT_NEAR(static_cast<double>(shares.at("c")), 5 * unit, unit * 0.05);
  EXPECT_NEAR(static_cast<double>(shares.at("e")), 1000 * unit, unit * 2);
  EXPECT_FALSE(shares.contains("d"));
}

TEST(Maglev, is_the_same_whatever_the_order_of_the_members) {
  auto members = equals(50);
  members[7].weight = 3;
  const auto before = names_in(members);
  std::ranges::reverse(members);
  EXPECT_EQ(names_in(members), before);
  std::rotate(members.begin(), members.begin() + 17, members.end());
  EXPECT_EQ(names_in(members), before);
}

// What other machines, and other builds, have for these names: never to be changed, or an upgrade
// of one balancer would send its clients elsewhere than its neighbour does.
TEST(Maglev, is_the_same_in_every_build) {
  EXPECT_EQ(
      names_in({{"a", 1}, {"b", 1}, {"c", 2}}, 13),
      (std::vector<std::string>{"c", "c", "a", "b", "a", "a", "c", "c", "c", "c", "b", "a", "b"}));
}

// The ideal: the entries of the one that leaves go to the others, and nothing else changes.
TEST(Maglev, moves_hardly_more_than_the_share_of_one_of_ten_that_leaves) {
  const auto members = equals(10);
  const auto before = names_in(members);
  const double ideal = kSize / 10.0;
  for (std::size_t leaving = 0; leaving < members.size(); ++leaving) {
    auto left = members;
    left.erase(left.begin() + static_cast<std::ptrdiff_t>(leaving));
    const auto moved = differences(before, names_in(left));
    EXPECT_GE(static_cast<double>(moved), ideal * 0.99);
    EXPECT_LE(static_cast<double>(moved), ideal * 1.3) << members[leaving].name;
  }
}

TEST(Maglev, moves_hardly_more_than_the_share_of_one_that_is_added) {
  const auto moved = differences(names_in(equals(10)), names_in(equals(11)));
  EXPECT_LE(static_cast<double>(moved), kSize / 11.0 * 1.3);
}

TEST(Maglev, moves_hardly_more_than_what_a_weight_gains) {
  auto members = equals(10);
  const auto before = names_in(members);
  members[3].weight = 2;  // from 1/10 to 2/11
  const auto moved = differences(before, names_in(members));
  EXPECT_LE(static_cast<double>(moved), kSize * (2 / 11.0 - 1 / 10.0) * 2);
}

TEST(Maglev, spreads_the_clients_of_one_that_is_passed_over_evenly) {
  const auto members = equals(10);
  const MaglevTable table(members, kSize);
  std::vector<int> served(10);
  for (std::uint64_t client = 0; client < 200'000; ++client) {
    const auto hashed = mix(client);
    std::size_t further = 0;
    while (table.at(hashed, further) == 4) {
      ++further;
    }
    ++served[table.at(hashed, further)];
  }
  for (std::size_t place = 0; place < served.size(); ++place) {
    EXPECT_NEAR(served[place], place == 4 ? 0 : 200'000 / 9, 200'000 / 9 * 0.05) << place;
  }
}

TEST(Hash, tells_neighbours_apart) {
  std::map<std::uint64_t, int> buckets;
  for (int i = 0; i < 10'000; ++i) {
    ++buckets[hash("10.0.0." + std::to_string(i)) % 10];
  }
  for (const auto& [bucket, count] : buckets) {
    EXPECT_NEAR(count, 1000, 150) << bucket;
  }
  EXPECT_NE(hash("a"), hash("a", 1));
}

}  // namespace
}  // namespace holdfast::balance
