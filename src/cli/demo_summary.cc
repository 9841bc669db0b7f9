#include "cli/demo_summary.h"

#include "cli/wording.h"

namespace holdfast::cli {

using Tone = DemoScreen::Tone;

bool summarize_requests(DemoScreen& screen, const DemoTally& tally,
                        const std::optional<InstanceProcess::Death>& death,
                        const std::string& victim) {
  auto total = tally.total();
  const auto failures = tally.judge_failures(death);
  screen.say("  " + with_separators(total.requests - total.failed) + " of " +
             count_of(total.requests, "request") + " answered, p50 " +
             in_milliseconds(total.latencies.percentile(50)) + ", p99 " +
             in_milliseconds(total.latencies.percentile(99)) + ", slowest " +
             in_milliseconds(total.latencies.max()));
  screen.say("  " + count_of(failures.inside, "request") + " failed inside " + victim +
             " when it was killed");
  for (const auto& [outcome, count] : failures.elsewhere) {
    screen.say(
        "  " + count_of(count, "request") + " failed otherwise: " + std::string(to_string(outcome)),
        Tone::bad);
  }
  if (failures.elsewhere.empty()) {
    screen.say("  no other request failed", Tone::good);
  }
  return failures.elsewhere.empty();
}

}  // namespace holdfast::cli
