#include "holdfast/base/fd.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/eventfd.h>

#include <type_traits>

namespace holdfast {
namespace {

Fd make() {
  return Fd(::eventfd(0, EFD_CLOEXEC));
}

bool is_open(int number) {
  return ::fcntl(number, F_GETFD) != -1;
}

TEST(Fd, closes_what_it_owns) {
  int number = -1;
  {
    const auto fd = make();
    number = fd.get();
    ASSERT_TRUE(is_open(number));
  }
  EXPECT_FALSE(is_open(number));
}

TEST(Fd, owns_nothing_at_first) {
  Fd fd;
  EXPECT_FALSE(fd.is_open());
  EXPECT_EQ(fd.get(), -1);
  fd.reset();
  EXPECT_FALSE(fd.is_open());
}

TEST(Fd, takes_descriptor_0_for_a_descriptor) {
  Fd fd(0);
  EXPECT_TRUE(fd.is_open());
  EXPECT_EQ(fd.release(), 0);
}

TEST(Fd, hands_over_when_moved_and_closes_once) {
  auto first = make();
  const int number = first.get();
  Fd second(std::move(first));
  EXPECT_FALSE(first.is_open());  // NOLINT(bugprone-use-after-move): that is the question
  EXPECT_EQ(second.get(), number);
  EXPECT_TRUE(is_open(number));
}

TEST(Fd, closes_what_it_had_when_assigned_to) {
  auto fd = make();
  const int old_number = fd.get();
  auto other = make();
  const int new_number = other.get();
  fd = std::move(other);
  EXPECT_FALSE(is_open(old_number));
  EXPECT_TRUE(is_open(new_number));
  EXPECT_EQ(fd.get(), new_number);
}

TEST(Fd, survives_being_assigned_to_itself) {
  auto fd = make();
  auto& same = fd;
  fd = std::move(same);
  EXPECT_TRUE(is_open(fd.get()));
}

TEST(Fd, lets_go_without_closing) {
  auto fd = make();
  const Fd taken_over(fd.release());
  EXPECT_FALSE(fd.is_open());
  EXPECT_TRUE(is_open(taken_over.get()));
}

TEST(Fd, does_not_close_a_number_that_somebody_else_has_by_now) {
  auto fd = make();
  const int number = fd.get();
  fd.reset();
  const auto newcomer = make();
  ASSERT_EQ(newcomer.get(), number) << "the lowest number is given out again";
  fd.reset();
  EXPECT_TRUE(is_open(number));
}

TEST(Fd, is_neither_a_number_nor_a_truth_value_by_itself) {
  EXPECT_FALSE((std::is_convertible_v<Fd, int>));
  EXPECT_FALSE((std::is_constructible_v<bool, Fd>));
  EXPECT_FALSE((std::is_convertible_v<int, Fd>));
  EXPECT_FALSE(std::is_copy_constructible_v<Fd>);
  EXPECT_FALSE(std::is_copy_assignable_v<Fd>);
}

}  // namespace
}  // namespace holdfast
