#include "relay/deadlines.h"

#include <gmock/gmock.h>

#include <chrono>
#include <functional>
#include <string>

#include "support/turning.h"

namespace holdfast::relay {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

class Named final : public Waiter {
 public:
  Named(int name, std::vector<int>& told) : name_(name), told_(told) {}

 private:
  void on_deadline() override { told_.push_back(name_); }

  int name_;
  std::vector<int>& told_;
};

class DeadlinesTest : public ::testing::Test {
 protected:
  bool turn_until_told(std::size_t count) {
    return testing::turn_until(loop_, [&] { return told_.size() >= count; });
  }

  loop::Loop loop_;
  std::vector<int> told_;
  Named one_{1, told_};
  Named two_{2, told_};
  Named three_{3, told_};
};

TEST_F(DeadlinesTest, are_reached_by_who_waited_longest) {
  DeadlineList list(loop_, 20ms);
  list.touch(one_);
  list.touch(two_);
  list.touch(three_);
  list.touch(one_);
  DeadlineList::leave(two_);
  ASSERT_TRUE(turn_until_told(2));
  EXPECT_THAT(told_, ElementsAre(3, 1));
}

TEST_F(DeadlinesTest, run_on_from_when_they_began) {
  DeadlineList list(loop_, 1h);
  const auto began = loop_.now();
  list.touch(one_, began - 2h);
  list.touch(two_, began - 1h + 30ms);
  list.touch(three_, began - 30min);
  ASSERT_TRUE(turn_until_told(1));
  EXPECT_THAT(told_, ElementsAre(1));
  ASSERT_TRUE(turn_until_told(2));
  EXPECT_THAT(told_, ElementsAre(1, 2));
  EXPECT_GE(Clock::now() - began, 30ms);
  DeadlineList::leave(three_);
}

TEST_F(DeadlinesTest, begin_at_a_moment_that_can_be) {
  DeadlineList list(loop_, 20ms);
  list.touch(one_, TimePoint::min());
  list.touch(two_, TimePoint::max());
  ASSERT_TRUE(turn_until_told(2));
  EXPECT_THAT(told_, ElementsAre(1, 2));
}

TEST_F(DeadlinesTest, are_left_when_another_list_is_entered) {
  DeadlineList shorter(loop_, 1ms);
  DeadlineList longer(loop_, 20ms);
  shorter.touch(one_);
  longer.touch(one_);
  shorter.touch(two_);
  ASSERT_TRUE(turn_until_told(2));
  EXPECT_THAT(told_, ElementsAre(2, 1));
}

}  // namespace
}  // namespace holdfast::relay
