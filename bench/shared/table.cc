#include "shared/table.h"

#include <algorithm>
#include <cassert>
#include <cstdio>

#include "shared/machine.h"

namespace holdfast::bench {

std::string number(double value, int decimals) {
  char text[64];
  std::snprintf(text, sizeof text, "%.*f", decimals, value);
  return text;
}

std::string pad(const std::string& text, std::size_t width) {
  return text.size() < width ? std::string(width - text.size(), ' ') + text : text;
}

std::string table_head(const std::string& first, const std::vector<std::string>& others) {
  std::string head = "| " + first + " |";
  std::string rule = "|---|";
  for (const auto& other : others) {
    head += " " + other + " |";
    rule += "---:|";
  }
  return head + "\n" + rule + "\n";
}

std::string measured_by(const std::string& program) {
  const auto machine = describe_machine();
  return "Measured on " + machine.date + " by `" + program + "`: " + machine.cpu + ", " +
         std::to_string(machine.cores) + " cores, " + machine.kernel +
         ". Client, balancer and backends share the machine over loopback: compare the rows, "
         "don't take them for what other hardware does.";
}

double median(std::vector<double> values) {
  assert(!values.empty());
  std::sort(values.begin(), values.end());
  return values[(values.size() - 1) / 2];
}

}  // namespace holdfast::bench
