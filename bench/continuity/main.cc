#include <CLI/CLI.hpp>
#include <algorithm>

#include <csignal>
#include <cstdio>
#include <fstream>
#include <sstream>

#include "cli/instance_process.h"
#include "continuity/report.h"
#include "holdfast/loop/signals.h"
#include "worker/descriptor_budget.h"

namespace holdfast::bench {
namespace {

using namespace std::chrono_literals;

std::filesystem::path beside_us() {
  return std::filesystem::path(cli::own_program()).parent_path();
}

struct Options {
  std::string holdfast = beside_us() / "../holdfast";
  std::string next_build;  // the same binary, if nothing is said
  std::string rows;
  unsigned rounds = 5;
  std::filesystem::path results = "bench/results";
};

// `crowd serve`, as a child.
class Services {
 public:
  static Result<Services> start() {
    auto process = cli::ChildProcess::start({.arguments = {beside_us() / "crowd", "serve"},
                                             .output = cli::ChildProcess::Stream::piped});
    if (!process) {
      return tl::unexpected(process.error());
    }
    cli::LineReader output((*process)->take_output());
    std::istringstream line(output.wait(5s).value_or(""));
    std::string listening;
    std::string address;
    std::string bulk_address;
    if (!(line >> listening >> address >> bulk_address)) {
      return fail("crowd serve does not start");
    }
    return Services{std::move(*process),
                    {{"web", {{"web-1", address}}}, {"bulk", {{"bulk-1", bulk_address}}}}};
  }

  std::unique_ptr<cli::ChildProcess> process;
  std::vector<Service> list;
};

const Contender* find(const std::vector<Contender>& contenders, const char* name) {
  const auto found = std::find_if(contenders.begin(), contenders.end(),
                                  [&](const Contender& each) { return each.name == name; });
  return found == contenders.end() ? nullptr : &*found;
}

// Whether there is a point in going on. A row that cannot be run is shown as such.
bool measure(MeasuredRow& measured, const std::vector<Contender>& contenders,
             const Setting& setting) {
  const auto* contender = find(contenders, measured.row.contender);
  if (contender == nullptr) {
    measured.failures.emplace_back("not installed");
    return true;
  }
  auto run = run_once(measured.row, *contender, setting);
  if (!run) {
    const auto& failure = measured.failures.emplace_back(run.error().message);
    std::fprintf(stderr, "%s: %s\n", measured.row.key, failure.c_str());
    return failure != "interrupted";
  }
  const auto summary = summarize(*run);
  std::fprintf(stderr,
               "%s: %.0f lost, %.0f of %.0f new failed, stall max %.1f ms, %.0f left over\n",
               measured.row.key, summary.lost, summary.new_failed, summary.new_attempted,
               summary.stall_max, summary.leftover);
  measured.rounds.push_back(summary);
  return true;
}

int bench_continuity(const Options& options) {
  loop::Signals::block({SIGINT, SIGTERM});
  static_cast<void>(worker::raise_descriptor_limit());
  const auto rows = choose_rows(options.rows);
  if (!rows) {
    std::fprintf(stderr, "bench_continuity: %s\n", rows.error().message.c_str());
    return 2;
  }
  const auto services = Services::start();
  if (!services) {
    std::fprintf(stderr, "bench_continuity: %s\n", services.error().message.c_str());
    return 1;
  }
  const Setting setting{
      services->list, options.next_build.empty() ? options.holdfast : options.next_build, {}};
  const auto contenders = find_contenders(options.holdfast);
  std::vector<MeasuredRow> measured;
  for (const auto& row : *rows) {
    measured.push_back({row, {}});
  }
  // Every round runs all in turn, so that a machine that slows down slows all of them.
  for (unsigned round = 1; round <= options.rounds; ++round) {
    std::fprintf(stderr, "round %u of %u\n", round, options.rounds);
    for (auto& each : measured) {
      if (!measure(each, contenders, setting)) {
        return 1;
      }
    }
  }
  std::printf("%s", to_table(measured).c_str());
  std::filesystem::create_directories(options.results);
  std::ofstream(options.results / "continuity.md")
      << to_markdown(measured, contenders, setting.crowd);
  const bool all_ran = std::all_of(measured.begin(), measured.end(),
                                   [](const MeasuredRow& each) { return each.failures.empty(); });
  return all_ran ? 0 : 1;
}

}  // namespace
}  // namespace holdfast::bench

int main(int argc, char** argv) {
  holdfast::bench::Options options;
  CLI::App app(
      "Does to each balancer under load what may happen to it, and counts what that costs");
  app.add_option("--holdfast", options.holdfast, "the holdfast binary")->capture_default_str();
  app.add_option("--next-build", options.next_build,
                 "the binary that holdfast is upgraded to; the same if nothing is said");
  app.add_option("--rows", options.rows, "keys of the rows to run, separated by commas");
  app.add_option("--rounds", options.rounds, "runs of each row")
      ->check(CLI::Range(1, 100))
      ->capture_default_str();
  app.add_option("--results", options.results, "directory to write to")->capture_default_str();
  CLI11_PARSE(app, argc, argv);
  return holdfast::bench::bench_continuity(options);
}
