#pragma once

#include <concepts>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>

#include "holdfast/base/clock.h"

namespace spdlog {
class logger;
namespace sinks {
class sink;
}
}  // namespace spdlog

namespace holdfast {

enum class LogLevel : std::uint8_t { debug, info, warning, error };

// One key=value of a log line. Numbers are rendered at once; doubles with one decimal.
struct LogField {
  LogField(std::string_view name, std::string_view text) : key(name), value(text) {}
  LogField(std::string_view name, const char* text) : key(name), value(text) {}
  LogField(std::string_view name, const std::string& text) : key(name), value(text) {}
  template <std::integral Integer>
  LogField(std::string_view name, Integer number) : key(name), value(std::to_string(number)) {}
  LogField(std::string_view name, double number);

  std::string_view key;
  std::string value;
};

// Writes one line per event: time, level, event, key=value. Text from outside (names, peers,
// messages) goes into values only, where quotes and everything but printable ASCII are escaped, so
// no outside text can forge a line. Thread-safe; owned by main, borrowed by all.
class Log {
 public:
  // To standard error; under journald that is all it takes.
  Log();
  // To a sink of the caller's own, for tests.
  explicit Log(std::shared_ptr<spdlog::sinks::sink> sink);
  ~Log();
  Log(const Log&) = delete;
  Log& operator=(const Log&) = delete;

  void set_level(LogLevel level);
  [[nodiscard]] bool enabled(LogLevel level) const;
  void write(LogLevel level, std::string_view event, std::initializer_list<LogField> fields = {});

  void debug(std::string_view event, std::initializer_list<LogField> fields = {}) {
    write(LogLevel::debug, event, fields);
  }
  void info(std::string_view event, std::initializer_list<LogField> fields = {}) {
    write(LogLevel::info, event, fields);
  }
  void warning(std::string_view event, std::initializer_list<LogField> fields = {}) {
    write(LogLevel::warning, event, fields);
  }
  void error(std::string_view event, std::initializer_list<LogField> fields = {}) {
    write(LogLevel::error, event, fields);
  }

 private:
  std::unique_ptr<spdlog::logger> logger_;
};

// As a value of a log line: bare when it needs no quotes, else "quoted" with escapes.
[[nodiscard]] std::string quote_log_value(std::string_view text);

// Lets one event through per interval and counts what it held back. One thread's own.
class LogLimit {
 public:
  explicit LogLimit(Duration interval) : interval_(interval) {}

  // True when the event may be written now. `suppressed` is how many were held back since the
  // last one that was.
  [[nodiscard]] bool allow(TimePoint now, std::uint64_t& suppressed);

 private:
  Duration interval_;
  TimePoint next_{};
  std::uint64_t held_back_ = 0;
};

}  // namespace holdfast
