#include "relay/resumption.h"

#include <gmock/gmock.h>

#include <deque>
#include <numeric>

#include "support/turning.h"

namespace holdfast::relay {
namespace {

using state::ConnectionRecord;
using state::ConnectionState;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::ElementsAreArray;
using ::testing::IsEmpty;
using ::testing::Lt;
using ::testing::SizeIs;

class ResumptionTest : public ::testing::Test {
 protected:
  // The next record, which was active after all before it.
  ConnectionRecord& add(ConnectionState state) {
    auto& record = records_.emplace_back();
    record.id = records_.size();
    record.active_at = static_cast<std::int64_t>(records_.size());
    record.state = state;
    all_.push_back(&record);
    return record;
  }
  void add_relaying(std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) {
      add(ConnectionState::relaying);
    }
  }
  bool turn_until_resumed(std::size_t count) {
    return testing::turn_until(loop_, [&] { return resumed_.size() >= count; });
  }

  loop::Loop loop_;
  loop::Mailbox mailbox_{loop_};
  std::deque<ConnectionRecord> records_;
  std::vector<ConnectionRecord*> all_;
  std::vector<std::uint64_t> resumed_;  // ids
  Resumption resumption_{mailbox_, [this](auto& record, auto id) {
                           if (record.id == id) {
                             resumed_.push_back(id);
                           }
                         }};
};

TEST_F(ResumptionTest, has_nothing_to_do_where_nobody_was) {
  resumption_.begin({});
  testing::turn(loop_);
  EXPECT_THAT(resumed_, IsEmpty());
}

TEST_F(ResumptionTest, begins_with_those_that_wait_or_connect_in_the_order_they_came) {
  add(ConnectionState::relaying);
  add(ConnectionState::waiting);
  add(ConnectionState::relaying);
  add(ConnectionState::connecting);
  add(ConnectionState::accepting);
  resumption_.begin(all_);
  EXPECT_THAT(resumed_, ElementsAre(2, 4, 5, 3, 1));
}

TEST_F(ResumptionTest, goes_on_from_who_was_active_last_to_who_has_been_idle_longest) {
  add_relaying(1000);
  resumption_.begin(all_);
  ASSERT_TRUE(turn_until_resumed(1000));
  std::vector<std::uint64_t> expected(1000);
  std::iota(expected.rbegin(), expected.rend(), 1);
  EXPECT_THAT(resumed_, ElementsAreArray(expected));
}

TEST_F(ResumptionTest, lets_the_loop_turn_in_between) {
  add_relaying(1000);
  resumption_.begin(all_);
  EXPECT_THAT(resumed_, SizeIs(Lt(100)));
  std::vector<std::size_t> at_each_turn;
  while (resumed_.size() < 1000 && at_each_turn.size() < 1000) {
    const auto before = resumed_.size();
    testing::turn(loop_, 1);
    at_each_turn.push_back(resumed_.size() - before);
  }
  EXPECT_THAT(resumed_, SizeIs(1000));
  EXPECT_THAT(at_each_turn, Each(Lt(100)));
}

TEST_F(ResumptionTest, lets_nobody_without_a_backend_wait_for_another_turn) {
  for (int i = 0; i < 1000; ++i) {
    add(ConnectionState::waiting);
  }
  resumption_.begin(all_);
  EXPECT_THAT(resumed_, SizeIs(1000));
}

TEST_F(ResumptionTest, can_be_finished_at_once) {
  add_relaying(1000);
  resumption_.begin(all_);
  resumption_.finish();
  EXPECT_THAT(resumed_, SizeIs(1000));
  testing::turn(loop_);
  EXPECT_THAT(resumed_, SizeIs(1000));
}

TEST_F(ResumptionTest, tells_which_connection_it_means_where_a_record_has_another_one_by_now) {
  add_relaying(1000);
  resumption_.begin(all_);
  records_.front().id = 5000;
  ASSERT_TRUE(turn_until_resumed(999));
  testing::turn(loop_);
  EXPECT_THAT(resumed_, SizeIs(999));
}

}  // namespace
}  // namespace holdfast::relay
