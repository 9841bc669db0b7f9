#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <string>

#include "cli/alarm.h"
#include "cli/http_exchange.h"
#include "holdfast/loop/timer.h"

namespace holdfast::cli {

struct LoadOptions {
  SocketAddress target = {};  // of the loopback interface: this is no tool to flood others with
  double rate = 500;          // requests a second
  Duration duration = std::chrono::seconds(10);
  Duration timeout = std::chrono::seconds(2);  // of one request, from its start
  std::size_t max_in_flight = 2000;
};

// An open-loop HTTP client: requests are due at fixed times, and each is sent when it is due, on
// a new connection, whatever became of those before it. On the loop's thread; what makes it owns
// it.
class LoadGenerator final : private HttpExchange::Owner {
 public:
  using OnFinished = std::function<void(const FinishedRequest&)>;
  using OnDone = std::function<void()>;

  // An error for a target that isn't loopback, or a rate that isn't above zero. Neither callback
  // may destroy the generator.
  [[nodiscard]] static Result<std::unique_ptr<LoadGenerator>> make(loop::Loop& loop,
                                                                   LoadOptions options,
                                                                   OnFinished on_finished,
                                                                   OnDone on_done);
  LoadGenerator(LoadGenerator&&) = delete;

  // The first request is due at `begin`. `on_done` comes once, when the last one has finished.
  void start(TimePoint begin);
  // Sends nothing more that is due later than `duration` after the beginning.
  void end_after(Duration duration);
  // Sends no more; those under way still finish, within the timeout.
  void stop();

 private:
  LoadGenerator(loop::Loop& loop, LoadOptions options, OnFinished on_finished, OnDone on_done);

  void on_alarm();
  void exchange_finished(HttpExchange& exchange, Outcome outcome) override;
  [[nodiscard]] std::uint64_t requests_in(Duration duration) const;
  [[nodiscard]] TimePoint due_time(std::uint64_t number) const;
  void send_due();
  void send(TimePoint intended);
  void time_out_overdue();
  void watch_timeouts();
  void report_if_done();

  loop::Loop& loop_;
  LoadOptions options_;
  std::string request_;
  OnFinished on_finished_;
  OnDone on_done_;
  TimePoint begin_;
  std::uint64_t total_;
  std::uint64_t sent_ = 0;
  std::list<HttpExchange> exchanges_;  // in the order they started, which is that of timing out
  std::unique_ptr<Alarm> alarm_;
  loop::Timer timeouts_;
};

}  // namespace holdfast::cli
