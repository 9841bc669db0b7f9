#include "failover/report.h"

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
    {"req/s before", &Summary::before, 0}, {"down", &Summary::during, 0},
    {"after", &Summary::after, 0},         {"p50 ms", &Summary::p50, 2},
    {"p99 ms", &Summary::p99, 2},          {"p99.9 ms", &Summary::p999, 1},
    {"max ms", &Summary::max, 1},          {"p99 at the kill ms", &Summary::p99_at_kill, 2},
    {"errors", &Summary::errors, 0},       {"inside", &Summary::inside, 0},
    {"after 50 ms", &Summary::late, 0},    {"last error ms", &Summary::last_error, 0},
};

std::string errors_by_round(const std::vector<Row>& rows) {
  std::string text;
  for (const auto& row : rows) {
    text += "| " + row.name + " |";
    for (const auto& round : row.rounds) {
      text += " " + number(round.errors, 0) + " (" + number(round.inside, 0) + ") |";
    }
    text += "\n";
  }
  return text;
}

}  // namespace

std::string to_table(const std::vector<Row>& rows) {
  std::string text = pad("", 10);
  for (const auto& column : kColumns) {
    text += "  " + std::string(column.heading);
  }
  text += "\n";
  for (const auto& row : rows) {
    const auto middle = median(row.rounds);
    text += row.name + pad("", 10 - std::min<std::size_t>(row.name.size(), 10));
    for (const auto& column : kColumns) {
      const auto width = std::string(column.heading).size();
      text += "  " + pad(number(middle.*column.number, column.decimals), width);
    }
    text += "\n";
  }
  return text;
}

std::string to_markdown(const std::vector<Row>& rows, const Schedule& schedule,
                        const std::string& chart) {
  const auto seconds = [](Duration duration) {
    return number(std::chrono::duration<double>(duration).count(), 0) + " s";
  };
  std::string text = "# A backend is killed under load\n\n";
  text += measured_by("bench_failover") + "\n\n";
  text += "Three `holdfast instance` backends; " +
          cli::with_separators(static_cast<std::uint64_t>(schedule.rate)) +
          " requests a second, each due at a fixed time and on a new connection, whatever became "
          "of those before; one backend gets SIGKILL at " +
          seconds(schedule.killed) + " and is back at " + seconds(schedule.revived) +
          "; the run ends at " + seconds(schedule.end) + ". " +
          cli::count_of(rows.front().rounds.size(), "round") +
          ", the balancers in turn within each. The table shows medians; latency counts "
          "from when a request was due. *At the kill* are the requests due in the half second "
          "after it; *inside* are the errors of requests that the killed "
          "backend had already taken: no balancer of TCP connections can save those.\n\n";
  for (const auto& row : rows) {
    text += "- " + row.name + ": " + row.version + "\n";
  }
  std::vector<std::string> headings;
  for (const auto& column : kColumns) {
    headings.emplace_back(column.heading);
  }
  text += "\n" + table_head("", headings);
  for (const auto& row : rows) {
    const auto middle = median(row.rounds);
    text += "| " + row.name + " |";
    for (const auto& column : kColumns) {
      text += " " + number(middle.*column.number, column.decimals) + " |";
    }
    text += "\n";
  }
  text += "\n![throughput and latency over time](" + chart + ")\n\n";
  text += "Errors of each round, those inside the killed backend in brackets:\n\n";
  std::vector<std::string> rounds;
  for (std::size_t i = 1; i <= rows.front().rounds.size(); ++i) {
    rounds.push_back(std::to_string(i));
  }
  return text + table_head("round", rounds) + errors_by_round(rows);
}

}  // namespace holdfast::bench
