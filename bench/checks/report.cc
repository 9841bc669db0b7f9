#include "checks/report.h"

#include <algorithm>

#include "shared/table.h"

namespace holdfast::bench {
namespace {

std::vector<double> each(const std::vector<Run>& rounds, double (*number_of)(const Run&)) {
  std::vector<double> numbers;
  std::ranges::transform(rounds, std::back_inserter(numbers), number_of);
  return numbers;
}

double cpu(const Run& run) {
  return run.cpu;
}

double mean(const Run& run) {
  return run.checks.mean;
}

double most(const Run& run) {
  return static_cast<double>(run.checks.most);
}

double unevenness(const Run& run) {
  return run.checks.mean > 0 ? most(run) / run.checks.mean : 0;
}

std::string cell(double value, int decimals) {
  return " " + number(value, decimals) + " |";
}

std::string line_of(const Row& row) {
  const auto per_second = std::chrono::duration<double>(std::chrono::seconds(1)) / row.load.window;
  const auto costs = each(row.rounds, cpu);
  const auto means = each(row.rounds, mean);
  std::string text = "| " + row.load.type + " |" + cell(median(means) * per_second, 0) +
                     cell(median(costs), 1) + cell(std::ranges::max(costs), 1);
  if (median(means) == 0) {
    return text + " | | |\n";  // nobody is checked
  }
  return text + cell(median(means), 1) + cell(std::ranges::max(each(row.rounds, most)), 0) +
         cell(std::ranges::max(each(row.rounds, unevenness)), 2) + "\n";
}

}  // namespace

std::string to_table(const std::vector<Row>& rows) {
  auto text = table_head("type", {"checks/s", "% of a core", "worst round", "checks in 100 ms",
                                  "most in any round", "most / mean"});
  for (const auto& row : rows) {
    text += line_of(row);
  }
  return text;
}

std::string to_markdown(const std::vector<Row>& rows) {
  const auto& load = rows.front().load;
  return "# What checks cost\n\n" + measured_by("bench_checks") + "\n\n" +
         std::to_string(load.backends) + " backends, each checked every " +
         std::to_string(load.interval.count()) +
         " s: addresses of 127.0.0.0/8 behind one socket of one thread that passes every check "
         "and notes when it came. After two intervals, " +
         std::to_string(load.length.count()) +
         " s are looked at: the CPU time of all of holdfast's processes, from /proc/PID/stat, and "
         "how many checks came in each 100 ms. " +
         std::to_string(rows.front().rounds.size()) +
         " rounds, the types in turn within each; medians, and the worst where it says so. Type "
         "`none` is what holdfast does without any checks.\n\n" +
         to_table(rows) +
         "\nThe goals: under 5 % of a core, and no 100 ms with over twice the mean.\n";
}

}  // namespace holdfast::bench
