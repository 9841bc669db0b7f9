#include "relay/tried.h"

#include <gmock/gmock.h>

namespace holdfast::relay {
namespace {

using state::ConnectionRecord;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

ConnectionRecord tried_all_of(std::initializer_list<std::uint16_t> backends) {
  ConnectionRecord record;
  for (const auto backend : backends) {
    note_tried(record, backend);
  }
  return record;
}

TEST(Tried, has_failed_only_when_that_was_noted) {
  auto record = tried_all_of({7, 8, 9});
  EXPECT_THAT(failed(record).all(), IsEmpty());
  note_failed(record, 8);
  EXPECT_THAT(failed(record).all(), ElementsAre(8));
  EXPECT_THAT(tried(record), ElementsAre(7, 8, 9));
}

TEST(Tried, has_failed_when_its_second_attempt_did) {
  auto record = tried_all_of({7, 8, 7});
  note_failed(record, 7);
  EXPECT_THAT(failed(record).all(), ElementsAre(7, 7));
}

TEST(Tried, is_forgotten_with_a_worker_but_for_what_failed) {
  auto record = tried_all_of({7, 8, 9, 10});
  note_failed(record, 8);
  note_failed(record, 10);
  forget_all_but_failed(record);
  EXPECT_THAT(tried(record), ElementsAre(8, 10));
  EXPECT_THAT(failed(record).all(), ElementsAre(8, 10));
  note_tried(record, 9);
  EXPECT_THAT(failed(record).all(), ElementsAre(8, 10)) << "a place that is used again is as new";
}

TEST(Tried, has_room_for_as_many_as_can_be_configured) {
  ConnectionRecord record;
  for (std::uint16_t backend = 0; backend < state::kMaxAttempts; ++backend) {
    note_tried(record, backend);
    note_failed(record, backend);
  }
  EXPECT_EQ(failed(record).all().size(), state::kMaxAttempts);
}

}  // namespace
}  // namespace holdfast::relay
