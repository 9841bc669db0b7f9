#pragma once

#include <cstdint>
#include <string>

#include "cli/demo_tally.h"
#include "holdfast/base/clock.h"

namespace holdfast::cli {

// Where the demo tells its story: lines on standard output, written at once, in colour when that
// is a terminal and NO_COLOR (no-color.org) isn't set. Main thread.
class DemoScreen {
 public:
  enum class Tone : std::uint8_t { plain, bad, warning, good };

  DemoScreen();

  // Its clock starts: when the first request was due.
  void begin(TimePoint begin) { begin_ = begin; }
  [[nodiscard]] Duration elapsed() const { return Clock::now() - begin_; }

  void say(const std::string& line, Tone tone = Tone::plain);
  void table_head();
  // One row of the table: the second that ended at `elapsed`, and how many backends serve
  // ("2 of 3").
  void second(Duration elapsed, RequestCount count, const std::string& backends);
  // Something that happened just now, between the rows.
  void event(const std::string& what, Tone tone);

 private:
  bool colour_;
  TimePoint begin_;
};

}  // namespace holdfast::cli
