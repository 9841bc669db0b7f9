#include "holdfast/takeover/message.h"

#include <unistd.h>

#include <algorithm>
#include <cstdarg>
#include <cstdio>
#include <ctime>

namespace holdfast::takeover {

void say(const char* level, const char* format, ...) {
  timespec now{};
  ::clock_gettime(CLOCK_REALTIME, &now);
  tm utc{};
  ::gmtime_r(&now.tv_sec, &utc);
  char line[512];
  const int head = std::snprintf(line, sizeof line, "%04d-%02d-%02dT%02d:%02d:%02d.%03ldZ %s ",
                                 utc.tm_year + 1900, utc.tm_mon + 1, utc.tm_mday, utc.tm_hour,
                                 utc.tm_min, utc.tm_sec, now.tv_nsec / 1'000'000, level);
  std::va_list arguments;
  va_start(arguments, format);
  // NOLINTNEXTLINE(clang-analyzer-valist.Uninitialized): takes va_start's expansion for nothing
  const int tail = std::vsnprintf(line + head, sizeof line - static_cast<std::size_t>(head) - 1,
                                  format, arguments);
  va_end(arguments);
  const auto length = std::min(static_cast<std::size_t>(head + std::max(tail, 0)), sizeof line - 2);
  line[length] = '\n';
  [[maybe_unused]] const auto written = ::write(STDERR_FILENO, line, length + 1);
}

}  // namespace holdfast::takeover
