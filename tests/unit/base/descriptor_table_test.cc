#include "holdfast/base/descriptor_table.h"

#include <gtest/gtest.h>
#include <sys/eventfd.h>
#include <sys/resource.h>

#include <algorithm>
#include <vector>

#include "holdfast/base/fd.h"
#include "support/limit_scope.h"

namespace holdfast {
namespace {

std::vector<int> open_descriptors() {
  std::vector<int> found;
  for_each_descriptor([&](int fd) { found.push_back(fd); });
  return found;
}

TEST(DescriptorTable, has_room_for_the_highest_number_in_use) {
  const Fd low(::eventfd(0, EFD_CLOEXEC));
  const Fd high(::fcntl(low.get(), F_DUPFD_CLOEXEC, 1500));
  ASSERT_GE(high.get(), 1500);
  EXPECT_GT(descriptor_table_size(), high.get());
}

TEST(DescriptorTable, lists_what_is_open_and_nothing_else) {
  Fd kept(::eventfd(0, EFD_CLOEXEC));
  Fd closed(::eventfd(0, EFD_CLOEXEC));
  const int number = closed.get();
  closed.reset();
  const auto found = open_descriptors();
  EXPECT_TRUE(std::ranges::is_sorted(found));
  EXPECT_TRUE(std::ranges::binary_search(found, kept.get()));
  EXPECT_FALSE(std::ranges::binary_search(found, number));
}

TEST(DescriptorTable, is_known_when_nothing_more_can_be_opened) {
  const Fd fd(::eventfd(0, EFD_CLOEXEC));
  const auto before = open_descriptors();
  const testing::LimitScope limit(RLIMIT_NOFILE, static_cast<rlim_t>(before.back()) + 1);
  std::vector<Fd> filling;
  for (int one = ::dup(fd.get()); one >= 0; one = ::dup(fd.get())) {
    filling.emplace_back(one);
  }
  const auto found = open_descriptors();
  EXPECT_EQ(found.size(), static_cast<std::size_t>(before.back()) + 1);
}

}  // namespace
}  // namespace holdfast
