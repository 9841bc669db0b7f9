#pragma once

#include <spdlog/sinks/ostream_sink.h>

#include <memory>
#include <sstream>
#include <string>

#include "holdfast/base/log.h"

namespace holdfast::testing {

// A log that a test reads. `text` is for the thread that writes, or once that thread has ended.
class TextLog {
 public:
  [[nodiscard]] Log& log() { return log_; }
  [[nodiscard]] std::string text() const { return text_.str(); }

 private:
  std::ostringstream text_;
  Log log_{std::make_shared<spdlog::sinks::ostream_sink_mt>(text_)};
};

}  // namespace holdfast::testing
