#include "crowd/waits.h"

#include <gtest/gtest.h>

namespace holdfast::bench {
namespace {

using namespace std::chrono_literals;

TimePoint at(Duration since) {
  return TimePoint(1h) + since;
}

Wait wait(Duration due, Duration answered) {
  return {at(due), at(due), at(answered)};
}

TEST(Waits, counts_the_requests_that_a_waiting_client_could_not_send) {
  const WaitsOfClients clients{{wait(0ms, 1ms), wait(10ms, 45ms), wait(50ms, 51ms)}};

  auto waits = all_waits(clients, 10ms);

  // 35, and due meanwhile: 25, 15, 5.
  EXPECT_EQ(waits.size(), 6u);
  EXPECT_EQ(waits.percentile(50), 5ms);
  EXPECT_EQ(waits.max(), 35ms);
}

TEST(Waits, says_how_late_the_load_itself_was) {
  auto late = sent_late({{{at(0ms), at(3ms), at(4ms)}}});

  EXPECT_EQ(late.max(), 3ms);
}

TEST(Stalls, take_the_longest_wait_of_each_client) {
  const WaitsOfClients clients{{wait(0ms, 1ms), wait(10ms, 45ms), wait(50ms, 51ms)},
                               {wait(5ms, 6ms), wait(15ms, 18ms), wait(25ms, 27ms)}};

  auto found = stalls(clients, {{"kill", at(8ms)}}, 1s);

  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found[0].longest.size(), 2u);
  EXPECT_EQ(found[0].longest.percentile(0), 3ms);
  EXPECT_EQ(found[0].longest.max(), 35ms);
  EXPECT_EQ(found[0].recovered, 37ms);
}

TEST(Stalls, count_the_request_that_was_under_way) {
  auto found = stalls({{wait(0ms, 60ms)}}, {{"kill", at(20ms)}}, 1s);

  EXPECT_EQ(found[0].longest.max(), 40ms);
}

TEST(Stalls, leave_out_what_was_over_before_and_what_came_long_after) {
  const WaitsOfClients clients{{wait(0ms, 90ms), wait(100ms, 102ms), wait(300ms, 400ms)}};

  auto found = stalls(clients, {{"kill", at(95ms)}}, 100ms);

  EXPECT_EQ(found[0].longest.max(), 2ms);
}

TEST(Stalls, end_where_the_next_event_begins) {
  auto found = stalls({{wait(0ms, 90ms)}}, {{"first", at(10ms)}, {"second", at(30ms)}}, 1s);

  EXPECT_EQ(found[0].longest.max(), 20ms);
  EXPECT_EQ(found[1].longest.max(), 60ms);
}

}  // namespace
}  // namespace holdfast::bench
