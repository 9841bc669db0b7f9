#include "holdfast/base/log.h"

#include <spdlog/logger.h>
#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/stdout_sinks.h>

#include <cstdio>
#include <utility>

namespace holdfast {
namespace {

spdlog::level::level_enum to_spdlog(LogLevel level) {
  switch (level) {
    case LogLevel::debug:
      return spdlog::level::debug;
    case LogLevel::info:
      return spdlog::level::info;
    case LogLevel::warning:
      return spdlog::level::warn;
    case LogLevel::error:
      return spdlog::level::err;
  }
  std::abort();
}

bool needs_quotes(std::string_view text) {
  if (text.empty()) {
    return true;
  }
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte <= ' ' || byte == '"' || byte == '\\' || byte == '=' || byte >= 0x7f) {
      return true;
    }
  }
  return false;
}

}  // namespace

LogField::LogField(std::string_view name, double number) : key(name) {
  char text[64];
  std::snprintf(text, sizeof text, "%.1f", number);
  value = text;
}

std::string quote_log_value(std::string_view text) {
  if (!needs_quotes(text)) {
    return std::string(text);
  }
  std::string quoted = "\"";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      quoted += '\\';
      quoted += c;
    } else if (c == '\n') {
      quoted += "\\n";
    } else if (byte < ' ' || byte >= 0x7f) {
      char escape[5];
      std::snprintf(escape, sizeof escape, "\\x%02x", byte);
      quoted += escape;
    } else {
      quoted += c;
    }
  }
  return quoted + '"';
}

Log::Log() : Log(std::make_shared<spdlog::sinks::stderr_sink_mt>()) {}

Log::Log(std::shared_ptr<spdlog::sinks::sink> sink)
    : logger_(std::make_unique<spdlog::logger>("holdfast", std::move(sink))) {
  logger_->set_formatter(std::make_unique<spdlog::pattern_formatter>(
      "%Y-%m-%dT%H:%M:%S.%eZ %l %v", spdlog::pattern_time_type::utc));
  logger_->set_level(spdlog::level::info);
}

Log::~Log() = default;

void Log::set_level(LogLevel level) {
  logger_->set_level(to_spdlog(level));
}

bool Log::enabled(LogLevel level) const {
  return logger_->should_log(to_spdlog(level));
}

void Log::write(LogLevel level, std::string_view event, std::initializer_list<LogField> fields) {
  if (!enabled(level)) {
    return;
  }
  std::string line(event);
  for (const auto& field : fields) {
    line += ' ';
    line += field.key;
    line += '=';
    line += quote_log_value(field.value);
  }
  logger_->log(to_spdlog(level), spdlog::string_view_t(line.data(), line.size()));
  logger_->flush();
}

bool LogLimit::allow(TimePoint now, std::uint64_t& suppressed) {
  if (now < next_) {
    ++held_back_;
    return false;
  }
  next_ = now + interval_;
  suppressed = std::exchange(held_back_, 0);
  return true;
}

}  // namespace holdfast
