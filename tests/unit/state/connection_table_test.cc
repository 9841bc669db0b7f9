#include "holdfast/state/connection_table.h"

#include <gmock/gmock.h>

#include <set>
#include <thread>

#include "holdfast/state/region.h"

namespace holdfast::state {
namespace {

class ConnectionTableTest : public ::testing::Test {
 protected:
  static constexpr unsigned kLimit = 4;

  [[nodiscard]] unsigned connections() const { return region_.shared().connections.get(); }

  Region region_ = Region::create(kLimit).value();
  [[nodiscard]] ConnectionTable table_of(unsigned thread, unsigned limit = kLimit) {
    auto& shared = region_.shared();
    return {region_.records(thread), shared, shared.per_thread[thread], limit};
  }

  ConnectionTable table_ = table_of(0);
  ConnectionTable other_ = table_of(1);
};

TEST_F(ConnectionTableTest, gives_a_record_that_is_about_to_accept_and_names_no_descriptor) {
  const auto* record = table_.take();
  ASSERT_NE(record, nullptr);
  EXPECT_EQ(record->state, ConnectionState::accepting);
  EXPECT_EQ(record->client_fd, -1);
  EXPECT_EQ(record->backend_fd, -1);
  EXPECT_EQ(record->to_backend.pipe_read, -1);
  EXPECT_EQ(record->backend, kNoBackend);
  EXPECT_EQ(connections(), 1U);
}

TEST_F(ConnectionTableTest, gives_each_record_once_until_the_limit) {
  std::set<const ConnectionRecord*> taken;
  for (unsigned i = 0; i < kLimit; ++i) {
    taken.insert(table_.take());
  }
  EXPECT_EQ(taken.size(), kLimit);
  EXPECT_EQ(taken.count(nullptr), 0U);
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(table_.take(), nullptr);
  }
  EXPECT_EQ(connections(), kLimit) << "a refusal counts for nothing";
}

TEST_F(ConnectionTableTest, has_room_again_once_one_is_given_back) {
  ConnectionRecord* last = nullptr;
  for (unsigned i = 0; i < kLimit; ++i) {
    last = table_.take();
  }
  last->state = ConnectionState::closing;
  table_.give_back(*last);
  EXPECT_EQ(last->state, ConnectionState::free);
  EXPECT_NE(table_.take(), nullptr);
  EXPECT_EQ(table_.take(), nullptr);
}

TEST_F(ConnectionTableTest, takes_a_record_back_that_accepted_nobody) {
  table_.give_back(*table_.take());
  EXPECT_EQ(connections(), 0U);
}

TEST_F(ConnectionTableTest, shows_nothing_of_the_last_user_to_the_next) {
  auto* record = table_.take();
  const auto id = record->id;
  record->client_fd = 5;
  record->attempts = 3;
  record->reset = ResetBy::client;
  record->to_client.delivered = 99;
  record->to_client.pipe_read = 7;
  record->state = ConnectionState::closing;
  table_.give_back(*record);

  auto* again = table_.take();
  ASSERT_EQ(again, record);
  EXPECT_NE(again->id, id);
  EXPECT_EQ(again->client_fd, -1);
  EXPECT_EQ(again->attempts, 0);
  EXPECT_EQ(again->reset, ResetBy::nobody);
  EXPECT_EQ(again->to_client.delivered, 0U);
  EXPECT_EQ(again->to_client.pipe_read, -1);
}

TEST_F(ConnectionTableTest, limits_all_threads_together) {
  for (unsigned i = 0; i < kLimit; ++i) {
    EXPECT_NE((i % 2 == 0 ? table_ : other_).take(), nullptr);
  }
  EXPECT_EQ(table_.take(), nullptr);
  EXPECT_EQ(other_.take(), nullptr);
  EXPECT_EQ(connections(), kLimit);
}

// scar 29
TEST_F(ConnectionTableTest, is_empty_after_two_threads_have_fought_for_the_last_place) {
  const auto churn = [](ConnectionTable& table) {
    for (int i = 0; i < 20'000; ++i) {
      auto* first = table.take();
      auto* second = table.take();
      for (auto* record : {first, second}) {
        if (record != nullptr) {
          record->state = ConnectionState::closing;
          table.give_back(*record);
        }
      }
    }
  };
  auto one = table_of(0, 2);
  auto two = table_of(1, 2);
  std::thread thread([&] { churn(one); });
  churn(two);
  thread.join();
  EXPECT_EQ(connections(), 0U);
}

// What a worker before this one left.
TEST_F(ConnectionTableTest, keeps_what_is_live_and_frees_the_rest) {
  auto* relaying = table_.take();
  relaying->state = ConnectionState::relaying;
  auto* accepted = table_.take();
  accepted->client_fd = 7;
  static_cast<void>(table_.take());  // nobody was accepted
  table_.take()->state = ConnectionState::closing;
  const auto last = relaying->id + 3;

  auto successor = table_of(0);
  EXPECT_THAT(successor.live(), ::testing::ElementsAre(relaying, accepted));
  region_.shared().connections.set(2);
  auto* fresh = successor.take();
  EXPECT_NE(fresh, relaying);
  EXPECT_NE(fresh, accepted);
  EXPECT_EQ(fresh->id, last + 1) << "no number is given twice";
  EXPECT_NE(successor.take(), nullptr);
  EXPECT_EQ(successor.take(), nullptr);
}

TEST_F(ConnectionTableTest, believes_no_worker_that_used_more_records_than_there_are) {
  region_.shared().per_thread[0].touched.set(1'000'000);
  EXPECT_TRUE(table_of(0).live().empty());
}

TEST_F(ConnectionTableTest, refuses_to_take_back_what_is_still_relaying) {
  auto* record = table_.take();
  record->state = ConnectionState::relaying;
  EXPECT_DEATH(table_.give_back(*record), "closing");
}

}  // namespace
}  // namespace holdfast::state
