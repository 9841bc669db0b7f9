#include "cli/demo_screen.h"

#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <string_view>

#include "cli/wording.h"

namespace holdfast::cli {
namespace {

bool wants_colour() {
  const auto* no_color = std::getenv("NO_COLOR");
  const auto* terminal = std::getenv("TERM");
  return ::isatty(STDOUT_FILENO) == 1 && (no_color == nullptr || *no_color == '\0') &&
         terminal != nullptr && std::string_view(terminal) != "dumb";
}

const char* start_of(DemoScreen::Tone tone) {
  switch (tone) {
    case DemoScreen::Tone::plain:
      return "";
    case DemoScreen::Tone::bad:
      return "\033[31m";
    case DemoScreen::Tone::warning:
      return "\033[33m";
    case DemoScreen::Tone::good:
      return "\033[32m";
  }
  std::abort();
}

double to_seconds(Duration duration) {
  return std::chrono::duration<double>(duration).count();
}

}  // namespace

DemoScreen::DemoScreen() : colour_(wants_colour()) {}

void DemoScreen::say(const std::string& line, Tone tone) {
  const bool coloured = colour_ && tone != Tone::plain;
  std::printf("%s%s%s\n", coloured ? start_of(tone) : "", line.c_str(), coloured ? "\033[0m" : "");
  // A pipe would otherwise get the story at its end.
  std::fflush(stdout);
}

void DemoScreen::table_head() {
  say("    time  requests  failed       p50       p99  backends");
}

void DemoScreen::second(Duration elapsed, RequestCount count, const std::string& backends) {
  char line[128];
  std::snprintf(line, sizeof line, "  %6.1f s  %8s  %6s  %8s  %8s  %s", to_seconds(elapsed),
                with_separators(count.requests).c_str(), with_separators(count.failed).c_str(),
                in_milliseconds(count.latencies.percentile(50)).c_str(),
                in_milliseconds(count.latencies.percentile(99)).c_str(), backends.c_str());
  say(line);
}

void DemoScreen::event(const std::string& what, Tone tone) {
  char time[32];
  std::snprintf(time, sizeof time, "  %6.1f s  ", to_seconds(elapsed()));
  say(time + what, tone);
}

}  // namespace holdfast::cli
