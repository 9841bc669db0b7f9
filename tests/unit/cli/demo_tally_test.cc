#include "cli/demo_tally.h"

#include <gmock/gmock.h>

namespace holdfast::cli {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::Pair;

const TimePoint kStart = TimePoint(1h);
// An instance killed a second after the start and gone 10 ms later.
const InstanceProcess::Death kDeath{kStart + 1s, kStart + 1s + 10ms};

FinishedRequest request(Outcome outcome, Duration started, Duration finished) {
  return {kStart + started, kStart + started, kStart + finished, outcome, {}};
}

TEST(DemoTally, counts_each_request_in_one_second_and_in_the_total) {
  DemoTally tally;
  tally.add(request(Outcome::answered, 0ms, 2ms));
  tally.add(request(Outcome::refused, 0ms, 1ms));

  auto recent = tally.take_recent();
  EXPECT_EQ(recent.requests, 2U);
  EXPECT_EQ(recent.failed, 1U);
  EXPECT_EQ(recent.latencies.max(), 2ms) << "failures have no latency";

  tally.add(request(Outcome::answered, 0ms, 5ms));
  EXPECT_EQ(tally.take_recent().requests, 1U);
  EXPECT_EQ(tally.take_recent().requests, 0U);
  EXPECT_EQ(tally.total().requests, 3U);
}

TEST(DemoTally, blames_the_killed_instance_for_what_it_took_with_it) {
  DemoTally tally;
  tally.add(request(Outcome::reset, 999ms, 1001ms));
  tally.add(request(Outcome::ended_early, 1005ms, 1012ms));

  const auto failures = tally.judge_failures(kDeath);

  EXPECT_EQ(failures.inside, 2U);
  EXPECT_THAT(failures.elsewhere, IsEmpty());
}

TEST(DemoTally, blames_the_balancer_for_everything_else) {
  DemoTally tally;
  tally.add(request(Outcome::reset, 990ms, 995ms));     // over before the kill
  tally.add(request(Outcome::reset, 1011ms, 1012ms));   // begun when the instance was gone
  tally.add(request(Outcome::refused, 999ms, 1001ms));  // no instance's doing
  tally.add(request(Outcome::timed_out, 999ms, 3000ms));

  const auto failures = tally.judge_failures(kDeath);

  EXPECT_EQ(failures.inside, 0U);
  EXPECT_THAT(failures.elsewhere, ElementsAre(Pair(Outcome::refused, 1), Pair(Outcome::reset, 2),
                                              Pair(Outcome::timed_out, 1)));
}

TEST(DemoTally, blames_nobody_killed_when_nobody_was) {
  DemoTally tally;
  tally.add(request(Outcome::reset, 0ms, 1ms));

  EXPECT_EQ(tally.judge_failures(std::nullopt).inside, 0U);
}

}  // namespace
}  // namespace holdfast::cli
