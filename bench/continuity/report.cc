#include "continuity/report.h"

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
    {"lost", &Summary::lost, 0},
    {"wrong bytes", &Summary::wrong, 0},
    {"new failed", &Summary::new_failed, 0},
    {"stall p50 ms", &Summary::stall_p50, 1},
    {"stall p99 ms", &Summary::stall_p99, 1},
    {"stall max ms", &Summary::stall_max, 1},
    {"recovered ms", &Summary::recovered, 0},
    {"leftover processes", &Summary::leftover, 0},
    {"load late ms", &Summary::late, 1},
};
constexpr std::size_t kNameWidth = 42;

std::string name_of(const MeasuredRow& measured) {
  return std::string(measured.row.contender) + ": " + measured.row.event;
}

std::string count(double value) {
  return cli::with_separators(static_cast<std::uint64_t>(value));
}

std::string describe(const CrowdOptions& load) {
  const auto seconds = [](Duration duration) {
    return number(std::chrono::duration<double>(duration).count(), 0) + " s";
  };
  const auto milliseconds = std::chrono::duration<double, std::milli>(load.busy_interval).count();
  return "The load: 2,000 idle connections (1,000 or 4,000 where the row says so), each tried with "
         "one exchange at the start, now and then, and at the end; " +
         count(static_cast<double>(load.busy)) + " busy clients with a request every " +
         number(milliseconds, 0) + " ms over a kept connection; " +
         count(static_cast<double>(load.downloads)) + " downloads and " +
         count(static_cast<double>(load.uploads)) + " uploads of " +
         count(static_cast<double>(load.bulk_size >> 20)) + " MiB at " +
         number(load.bulk_rate / (1 << 20), 0) + " MiB/s, every byte compared at the far end; " +
         number(load.new_rate, 0) +
         " new connections a second with one exchange each. The event comes " + seconds(kSettled) +
         " after all is established, leftover processes are counted " + seconds(kLeftoversAfter) +
         " after it, then the transfers run to their end and every idle connection is tried.\n\n";
}

constexpr const char* kLegend =
    R"(*Lost* are established connections that ended by reset, early end, timeout or wrong bytes, of all kinds; *new failed* are new connections without an answer. A *stall* is the longest wait of a busy client in the 5 s after the event, from when a request was due until its answer, over a new connection where the old one was lost; the row "nothing" shows what the machine alone does to that number. *Recovered*: from the event to the answer that ended the longest stall, which is any moment where nothing happens. *Leftover processes* are those more than before the event. *Load late* is the 99.9th percentile of how late the load itself sent.

HAProxy runs in master-worker mode as Debian's unit has it. When its worker is killed its master ends too, and is started again after 100 ms, as systemd does for that unit (`Restart=always`). nginx runs as a daemon with one worker per CPU. Neither has a limit for how long old workers may go on (`hard-stop-after`, `worker_shutdown_timeout`), which is their default: with one, old processes would leave, and take the connections with them.
)";

std::string table_rows(const std::vector<MeasuredRow>& rows) {
  std::string text;
  for (const auto& measured : rows) {
    text += "| " + name_of(measured) + " |";
    if (measured.rounds.empty()) {
      text += " not run |\n";
      continue;
    }
    const auto middle = median(measured.rounds);
    for (const auto& column : kColumns) {
      text += " " + number(middle.*column.number, column.decimals) + " |";
    }
    text += "\n";
  }
  return text;
}

std::string per_thousand(const std::vector<MeasuredRow>& rows, std::size_t busy) {
  std::string text;
  for (const auto& measured : rows) {
    if (!std::string_view(measured.row.key).starts_with("worker_killed") ||
        measured.rounds.empty()) {
      continue;
    }
    const auto middle = median(measured.rounds);
    const auto thousands = static_cast<double>(measured.row.idle + busy) / 1000;
    text += "| " + count(thousands * 1000) + " | " + number(middle.stall_p99, 1) + " | " +
            number(middle.stall_p99 / thousands, 1) + " | " + number(middle.stall_max, 1) + " | " +
            number(middle.stall_max / thousands, 1) + " |\n";
  }
  if (text.empty()) {
    return text;
  }
  return "\nholdfast's stall when its worker is killed, by the number of connections:\n\n" +
         table_head("connections",
                    {"stall p99 ms", "for each 1,000", "stall max ms", "for each 1,000"}) +
         text;
}

std::string rounds_table(const std::vector<MeasuredRow>& rows) {
  std::size_t rounds = 0;
  for (const auto& measured : rows) {
    rounds = std::max(rounds, measured.rounds.size());
  }
  std::vector<std::string> headings;
  for (std::size_t i = 1; i <= rounds; ++i) {
    headings.push_back(std::to_string(i));
  }
  auto text = "\nEach round: lost / new failed / stall max ms / leftover processes:\n\n" +
              table_head("round", headings);
  for (const auto& measured : rows) {
    text += "| " + name_of(measured) + " |";
    for (const auto& round : measured.rounds) {
      text += " " + number(round.lost, 0) + " / " + number(round.new_failed, 0) + " / " +
              number(round.stall_max, 1) + " / " + number(round.leftover, 0) + " |";
    }
    text += "\n";
  }

  return text;
}

std::string failures(const std::vector<MeasuredRow>& rows) {
  std::string text;
  for (const auto& measured : rows) {
    for (const auto& failure : measured.failures) {
      text += "- " + name_of(measured) + ": " + failure + "\n";
    }
  }
  return text.empty() ? text
                      : "\nRounds that could not be run, and are in none of the tables:\n\n" + text;
}

}  // namespace

std::string to_table(const std::vector<MeasuredRow>& rows) {
  std::string text = pad("", kNameWidth);
  for (const auto& column : kColumns) {
    text += "  " + std::string(column.heading);
  }
  text += "\n";
  for (const auto& measured : rows) {
    const auto name = name_of(measured);
    text += name + pad("", kNameWidth - std::min(name.size(), kNameWidth));
    if (measured.rounds.empty()) {
      text += "  not run\n";
      continue;
    }
    const auto middle = median(measured.rounds);
    for (const auto& column : kColumns) {
      const auto width = std::string(column.heading).size();
      text += "  " + pad(number(middle.*column.number, column.decimals), width);
    }
    text += "\n";
  }
  return text;
}

std::string to_markdown(const std::vector<MeasuredRow>& rows,
                        const std::vector<Contender>& contenders, const CrowdOptions& load) {
  std::size_t rounds = 0;
  for (const auto& measured : rows) {
    rounds = std::max(rounds, measured.rounds.size());
  }
  std::string text = "# What a balancer does to itself, under load\n\n";
  text += measured_by("bench_continuity") + "\n\n" + describe(load);
  text +=
      cli::count_of(rounds, "round") + ", all rows in turn within each; medians. " + kLegend + "\n";
  for (const auto& contender : contenders) {
    text += "- " + contender.name + ": " + contender.version + "\n";
  }
  std::vector<std::string> headings;
  for (const auto& column : kColumns) {
    headings.emplace_back(column.heading);
  }
  return text + "\n" + table_head("", headings) + table_rows(rows) + per_thousand(rows, load.busy) +
         rounds_table(rows) + failures(rows);
}

}  // namespace holdfast::bench
