#include "worker/crash_report.h"

#include <execinfo.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <cstring>

namespace holdfast::worker {
namespace {

// A signal handler is reached by no other way than globals.
state::SharedState* reported_state = nullptr;
thread_local unsigned reported_thread = state::kNoThread;

constexpr std::array kFatal = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT};

void write_text(const char* text) {
  [[maybe_unused]] const auto written = ::write(STDERR_FILENO, text, std::strlen(text));
}

// Calls nothing but what signal-safety(7) allows, and backtrace(3), whose library was loaded
// before. The handler is gone by the time it runs (SA_RESETHAND): raising the signal again ends the
// process as it would have ended, core dump included.
void on_fatal(int number) {
  if (reported_state != nullptr && reported_thread != state::kNoThread) {
    reported_state->supervision.fatal_thread.set(reported_thread);
  }
  char line[] = "holdfast: worker crashed, signal 00, stack:\n";
  char* digits = std::strstr(line, "00");
  digits[0] = static_cast<char>('0' + number / 10 % 10);
  digits[1] = static_cast<char>('0' + number % 10);
  write_text(line);
  std::array<void*, 64> frames{};
  const int depth = ::backtrace(frames.data(), static_cast<int>(frames.size()));
  ::backtrace_symbols_fd(frames.data(), depth, STDERR_FILENO);
  ::raise(number);
}

}  // namespace

void report_crashes(state::SharedState& shared) {
  reported_state = &shared;
  void* frame = nullptr;
  ::backtrace(&frame, 1);  // loads what it needs, which a handler may not
  struct sigaction action {};
  action.sa_handler = on_fatal;
  action.sa_flags = static_cast<int>(SA_RESETHAND | SA_NODEFER);
  sigemptyset(&action.sa_mask);
  for (const int number : kFatal) {
    ::sigaction(number, &action, nullptr);
  }
}

void report_crashes_of_thread(unsigned index) {
  reported_thread = index;
}

}  // namespace holdfast::worker
