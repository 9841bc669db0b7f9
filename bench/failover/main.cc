#include <CLI/CLI.hpp>
#include <csignal>
#include <cstdio>
#include <fstream>

#include "failover/chart.h"
#include "failover/host.h"
#include "failover/report.h"
#include "holdfast/loop/signals.h"

namespace holdfast::bench {
namespace {

struct Options {
  std::string holdfast = std::filesystem::path(cli::own_program()).parent_path() / "../holdfast";
  double rate = 1000;
  std::string rows;
  unsigned rounds = 5;
  std::filesystem::path results = "bench/results";
};

struct Bench {
  Schedule schedule;
  std::vector<Contender> contenders;
  std::vector<MeasuredRow> rows;
  std::vector<std::string> notes;  // of what could not be run
  bool has_failed = false;

  void note(const std::string& text) {
    std::fprintf(stderr, "%s\n", text.c_str());
    notes.push_back(text);
  }
};

void choose(Bench& bench, const std::vector<Row>& rows) {
  for (const auto& row : rows) {
    if (const auto reason = row.on_hosts ? why_no_hosts() : ""; !reason.empty()) {
      bench.note(std::string(row.key) + " is left out: " + reason);
      continue;
    }
    MeasuredRow measured{row, {}};
    for (const auto& contender : bench.contenders) {
      measured.all.push_back({&contender, {}, {}});
    }
    bench.rows.push_back(std::move(measured));
  }
}

// Whether there is a point in going on.
bool measure(Bench& bench, const Row& row, Measured& measured, const std::string& holdfast) {
  const auto name = std::string(row.key) + ", " + measured.contender->name;
  auto run = run_once(row, *measured.contender, bench.schedule, holdfast);
  if (!run) {
    bench.note(name + ": " + run.error().message);
    bench.has_failed = true;
    return run.error().message != kInterrupted;
  }
  const auto summary = summarize(*run, bench.schedule);
  std::fprintf(stderr, "%s: %.0f errors, %.0f inside, worst wait %.1f ms beyond normal\n",
               name.c_str(), summary.errors, summary.inside, summary.worst_wait);
  measured.rounds.push_back(summary);
  if (row.has_chart) {
    measured.runs.push_back(std::move(*run));
  }
  return true;
}

// Every round runs all in turn, so that a machine that slows down slows all of them.
bool measure_all(Bench& bench, const Options& options) {
  for (unsigned round = 1; round <= options.rounds; ++round) {
    std::fprintf(stderr, "round %u of %u\n", round, options.rounds);
    for (auto& [row, all] : bench.rows) {
      for (auto& measured : all) {
        if (!measure(bench, row, measured, options.holdfast)) {
          return false;
        }
      }
    }
  }
  return true;
}

void write_results(const Bench& bench, const Options& options) {
  std::printf("%s", to_table(bench.rows).c_str());
  std::filesystem::create_directories(options.results);
  for (const auto& [row, all] : bench.rows) {
    std::vector<ChartLine> lines;
    for (const auto& measured : all) {
      if (!measured.runs.empty()) {
        lines.push_back({measured.contender->name, make_series(measured.runs, bench.schedule)});
      }
    }
    if (!lines.empty()) {
      std::ofstream(options.results / "failover.svg") << draw_chart(lines, bench.schedule);
    }
  }
  std::ofstream(options.results / "failover.md")
      << to_markdown(bench.rows, bench.contenders, bench.schedule, "failover.svg", bench.notes);
}

int bench_failover(const Options& options) {
  loop::Signals::block({SIGINT, SIGTERM});
  Bench bench;
  bench.schedule.rate = options.rate;
  const auto rows = choose_rows(options.rows, bench.schedule);
  if (!rows) {
    std::fprintf(stderr, "bench_failover: %s\n", rows.error().message.c_str());
    return 2;
  }
  bench.contenders = find_contenders(options.holdfast);
  choose(bench, *rows);
  if (!measure_all(bench, options)) {
    return 1;
  }
  write_results(bench, options);
  return bench.has_failed ? 1 : 0;
}

}  // namespace
}  // namespace holdfast::bench

int main(int argc, char** argv) {
  holdfast::bench::Options options;
  CLI::App app("Does to a backend under load what may happen to it, behind each balancer in turn");
  app.add_option("--holdfast", options.holdfast, "the holdfast binary")->capture_default_str();
  app.add_option("--rate", options.rate, "requests a second")
      ->check(CLI::Range(10.0, 10000.0))
      ->capture_default_str();
  app.add_option("--rows", options.rows, "keys of the rows to run, separated by commas");
  app.add_option("--rounds", options.rounds, "runs of each row")
      ->check(CLI::Range(1, 100))
      ->capture_default_str();
  app.add_option("--results", options.results, "directory to write to")->capture_default_str();
  CLI11_PARSE(app, argc, argv);
  return holdfast::bench::bench_failover(options);
}
