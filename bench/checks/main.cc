#include <CLI/CLI.hpp>
#include <cstdio>
#include <fstream>

#include "checks/report.h"
#include "cli/instance_process.h"
#include "holdfast/base/temporary_directory.h"

namespace holdfast::bench {
namespace {

struct Options {
  std::string holdfast = std::filesystem::path(cli::own_program()).parent_path() / "../holdfast";
  unsigned rounds = 5;
  unsigned seconds = 20;
  std::size_t backends = 1000;
  std::filesystem::path results = "bench/results";
};

Result<std::vector<Row>> measure(const Options& options) {
  const auto directory = TemporaryDirectory::make();
  if (!directory) {
    return tl::unexpected(directory.error());
  }
  std::vector<Row> rows;
  for (const auto* type : {"none", "tcp", "http"}) {
    rows.push_back({{.type = type,
                     .backends = options.backends,
                     .length = std::chrono::seconds(options.seconds)},
                    {}});
  }
  for (unsigned round = 1; round <= options.rounds; ++round) {
    for (auto& [load, rounds] : rows) {
      const auto run = run_once(options.holdfast, load, directory->path());
      if (!run) {
        return tl::unexpected(run.error());
      }
      std::fprintf(
          stderr, "round %u of %u, %s: %.1f %% of a core, %.1f checks in 100 ms, most %zu\n", round,
          options.rounds, load.type.c_str(), run->cpu, run->checks.mean, run->checks.most);
      rounds.push_back(*run);
    }
  }
  return rows;
}

int bench_checks(const Options& options) {
  const auto rows = measure(options);
  if (!rows) {
    std::fprintf(stderr, "bench_checks: %s\n", rows.error().message.c_str());
    return 1;
  }
  std::printf("%s", to_table(*rows).c_str());
  std::filesystem::create_directories(options.results);
  std::ofstream(options.results / "checks.md") << to_markdown(*rows);
  return 0;
}

}  // namespace
}  // namespace holdfast::bench

int main(int argc, char** argv) {
  holdfast::bench::Options options;
  CLI::App app("Has a thousand backends checked, and says what that costs and how evenly it goes");
  app.add_option("--holdfast", options.holdfast, "the holdfast binary")->capture_default_str();
  app.add_option("--rounds", options.rounds, "runs of each type of check")
      ->check(CLI::Range(1, 100))
      ->capture_default_str();
  app.add_option("--seconds", options.seconds, "how long each is looked at")
      ->check(CLI::Range(1, 3600))
      ->capture_default_str();
  app.add_option("--backends", options.backends, "how many are checked")
      ->check(CLI::Range(1, 4096))
      ->capture_default_str();
  app.add_option("--results", options.results, "directory to write to")->capture_default_str();
  CLI11_PARSE(app, argc, argv);
  return holdfast::bench::bench_checks(options);
}
