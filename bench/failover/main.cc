#include <CLI/CLI.hpp>
#include <csignal>
#include <cstdio>
#include <fstream>

#include "failover/chart.h"
#include "failover/report.h"
#include "failover/run.h"
#include "holdfast/base/temporary_directory.h"
#include "holdfast/loop/signals.h"

namespace holdfast::bench {
namespace {

constexpr int kBackends = 3;

struct Options {
  std::string holdfast = std::filesystem::path(cli::own_program()).parent_path() / "../holdfast";
  double rate = 1000;
  unsigned rounds = 5;
  std::filesystem::path results = "bench/results";
};

Result<std::vector<cli::InstanceProcess>> start_backends(const std::string& program) {
  std::vector<cli::InstanceProcess> backends;
  for (int i = 1; i <= kBackends; ++i) {
    auto backend = cli::InstanceProcess::make(program, "web-" + std::to_string(i));
    const auto started = backend ? backend->start() : tl::unexpected(backend.error());
    if (!started) {
      return tl::unexpected(started.error());
    }
    backends.push_back(std::move(*backend));
  }
  return backends;
}

struct Measured {
  Contender contender;
  std::vector<Run> runs;
};

// Every round runs all in turn, so that a machine that slows down slows all of them.
Result<void> measure(std::vector<Measured>& all, const Options& options, const Schedule& schedule) {
  const auto directory = TemporaryDirectory::make().value();
  auto backends = start_backends(options.holdfast);
  if (!backends) {
    return tl::unexpected(backends.error());
  }
  for (unsigned round = 1; round <= options.rounds; ++round) {
    for (auto& [contender, runs] : all) {
      auto run = run_once(contender, schedule, *backends, directory.path());
      if (!run) {
        return tl::unexpected(run.error());
      }
      const auto summary = summarize(*run, schedule);
      std::fprintf(stderr, "round %u of %u, %s: %.0f errors, p99 %.2f ms\n", round, options.rounds,
                   contender.name.c_str(), summary.errors, summary.p99);
      runs.push_back(std::move(*run));
    }
  }
  return {};
}

void write_results(const std::vector<Measured>& all, const Options& options,
                   const Schedule& schedule) {
  std::vector<Row> rows;
  std::vector<ChartLine> lines;
  for (const auto& [contender, runs] : all) {
    std::vector<Summary> summaries;
    for (const auto& run : runs) {
      summaries.push_back(summarize(run, schedule));
    }
    rows.push_back({contender.name, contender.version, summaries});
    lines.push_back({contender.name, make_series(runs, schedule)});
  }
  std::printf("%s", to_table(rows).c_str());
  std::filesystem::create_directories(options.results);
  std::ofstream(options.results / "failover.svg") << draw_chart(lines, schedule);
  std::ofstream(options.results / "failover.md") << to_markdown(rows, schedule, "failover.svg");
}

int bench_failover(const Options& options) {
  loop::Signals::block({SIGINT, SIGTERM});
  Schedule schedule;
  schedule.rate = options.rate;
  std::vector<Measured> all;
  for (auto& contender : find_contenders(options.holdfast)) {
    all.push_back({std::move(contender), {}});
  }
  if (const auto measured = measure(all, options, schedule); !measured) {
    std::fprintf(stderr, "bench_failover: %s\n", measured.error().message.c_str());
    return 1;
  }
  write_results(all, options, schedule);
  return 0;
}

}  // namespace
}  // namespace holdfast::bench

int main(int argc, char** argv) {
  holdfast::bench::Options options;
  CLI::App app("Kills a backend under load behind each balancer in turn, and compares");
  app.add_option("--holdfast", options.holdfast, "the holdfast binary")->capture_default_str();
  app.add_option("--rate", options.rate, "requests a second")
      ->check(CLI::Range(10.0, 10000.0))
      ->capture_default_str();
  app.add_option("--rounds", options.rounds, "runs of each balancer")
      ->check(CLI::Range(1, 100))
      ->capture_default_str();
  app.add_option("--results", options.results, "directory to write to")->capture_default_str();
  CLI11_PARSE(app, argc, argv);
  return holdfast::bench::bench_failover(options);
}
