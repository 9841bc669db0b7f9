#include "failover/report.h"

#include <algorithm>

#include "cli/wording.h"
#include "shared/table.h"

namespace holdfast::bench {
namespace {

struct Column {
  const char* heading;
  double Summary::*number;
  int decimals;
};

constexpr Column kColumns[] = {
    {"requests", &Summary::requests, 0},
    {"errors", &Summary::errors, 0},
    {"inside", &Summary::inside, 0},
    {"p50 ms", &Summary::p50, 2},
    {"p99 ms", &Summary::p99, 2},
    {"p99.9 ms", &Summary::p999, 1},
    {"max ms", &Summary::max, 1},
    {"over 50 ms", &Summary::over_50, 0},
    {"over 500 ms", &Summary::over_500, 0},
    {"worst wait beyond normal ms", &Summary::worst_wait, 1},
    {"last error ms", &Summary::last_error, 0},
    {"sent there meanwhile", &Summary::meanwhile, 0},
};

constexpr const char* kLegend =
    "Latency counts from when a request was due, and is of the requests that were answered. "
    "*Inside* are the errors of requests that had reached the backend in question when it was "
    "killed or fell silent: only a balancer that sends them once more can save those. *Over 50 ms* "
    "and *over 500 ms* count all requests that took longer, answered or not. *Worst wait beyond "
    "normal*: the longest that a request took that was under way at the event or came later, those "
    "inside excepted, less the median of those before the event. *Last error*: from the event. "
    "*Sent there meanwhile*: requests that the backend in question answered from a second after "
    "the event until it is over.";

constexpr const char* kSettings =
    R"(Each balancer is configured as its own documentation recommends:

- holdfast: `connect: { timeout: 1s, attempts: 3 }`, `health: { type: tcp, interval: 2s, fast_interval: 200ms, timeout: 1s, rise: 2, fall: 3 }`; raced connects and passive ejection as they are by default.
- HAProxy: `timeout connect 1s`, `retries 3`, `option redispatch 1`, `timeout check 1s`, `default-server check inter 2s fastinter 200ms rise 2 fall 3 observe layer4 error-limit 3 on-error mark-down`.
- nginx (`stream`): `proxy_connect_timeout 1s`, `proxy_next_upstream on`, `proxy_next_upstream_tries 3`, servers with `max_fails=1 fail_timeout=10s` in a shared `zone`; it has no active checks.
)";

std::string seconds(Duration duration) {
  return number(std::chrono::duration<double>(duration).count(), 0) + " s";
}

std::vector<std::string> numbers_of_rounds(const MeasuredRow& measured) {
  std::size_t rounds = 0;
  for (const auto& each : measured.all) {
    rounds = std::max(rounds, each.rounds.size());
  }
  std::vector<std::string> numbers;
  for (std::size_t i = 1; i <= rounds; ++i) {
    numbers.push_back(std::to_string(i));
  }
  return numbers;
}

std::string table_of_medians(const MeasuredRow& measured) {
  std::vector<std::string> headings;
  for (const auto& column : kColumns) {
    headings.emplace_back(column.heading);
  }
  auto text = table_head("", headings);
  for (const auto& each : measured.all) {
    text += "| " + each.contender->name + " |";
    if (each.rounds.empty()) {
      text += " not run |\n";
      continue;
    }
    const auto middle = median(each.rounds);
    for (const auto& column : kColumns) {
      text += " " + number(middle.*column.number, column.decimals) + " |";
    }
    text += "\n";
  }
  return text;
}

std::string table_of_rounds(const MeasuredRow& measured) {
  auto text = table_head("round", numbers_of_rounds(measured));
  for (const auto& each : measured.all) {
    text += "| " + each.contender->name + " |";
    for (const auto& round : each.rounds) {
      text += " " + number(round.errors, 0) + " (" + number(round.inside, 0) + ") / " +
              number(round.worst_wait, 1) + " |";
    }
    text += "\n";
  }
  return text;
}

}  // namespace

std::string to_table(const std::vector<MeasuredRow>& rows) {
  std::string text;
  for (const auto& measured : rows) {
    text += std::string(measured.row.heading) + "\n" + pad("", 10);
    for (const auto& column : kColumns) {
      text += "  " + std::string(column.heading);
    }
    text += "\n";
    for (const auto& [contender, runs, rounds] : measured.all) {
      text += contender->name + pad("", 10 - std::min<std::size_t>(contender->name.size(), 10));
      const auto middle = rounds.empty() ? Summary() : median(rounds);
      for (const auto& column : kColumns) {
        const auto width = std::string(column.heading).size();
        text += "  " + pad(number(middle.*column.number, column.decimals), width);
      }
      text += rounds.empty() ? "  (not run)\n" : "\n";
    }
  }
  return text;
}

std::string to_markdown(const std::vector<MeasuredRow>& rows,
                        const std::vector<Contender>& contenders, const Schedule& schedule,
                        const std::string& chart, const std::vector<std::string>& notes) {
  std::size_t rounds = 0;
  for (const auto& measured : rows) {
    rounds = std::max(rounds, numbers_of_rounds(measured).size());
  }
  std::string text = "# What becomes of requests when something happens to a backend\n\n";
  text += measured_by("bench_failover") + "\n\n";
  text += "Three `holdfast instance` backends; " +
          cli::with_separators(static_cast<std::uint64_t>(schedule.rate)) +
          " requests a second, each due at a fixed time and on a new connection, whatever became "
          "of those before, and given up after 2 s. What happens begins at " +
          seconds(schedule.begins) + " and is over at " + seconds(schedule.is_over) +
          "; the run ends at " + seconds(schedule.end) + ". " + cli::count_of(rounds, "round") +
          ", all rows and balancers in turn within each; medians.\n\n" + kLegend + "\n\n" +
          kSettings + "\n";
  for (const auto& contender : contenders) {
    text += "- " + contender.name + ": " + contender.version + "\n";
  }
  for (const auto& measured : rows) {
    text += "\n## " + std::string(measured.row.heading) + " (`" + measured.row.key + "`)\n\n";
    text += std::string(measured.row.text) + "\n\n" + table_of_medians(measured);
    if (measured.row.has_chart) {
      text += "\n![throughput and latency over time](" + chart + ")\n";
    }
    text += "\nEach round: errors (those inside) / worst wait beyond normal in ms:\n\n" +
            table_of_rounds(measured);
  }
  if (!notes.empty()) {
    text += "\n## Not run\n\n";
  }
  for (const auto& note : notes) {
    text += "- " + note + "\n";
  }
  return text;
}

}  // namespace holdfast::bench
