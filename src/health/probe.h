#pragma once

#include <cerrno>
#include <functional>
#include <optional>
#include <string>

#include "holdfast/base/fd.h"
#include "holdfast/base/socket_address.h"
#include "holdfast/base/socket_options.h"
#include "holdfast/loop/poll.h"
#include "holdfast/loop/timer.h"

namespace holdfast::health {

// How one check came out.
struct ProbeResult {
  enum class Verdict : std::uint8_t {
    passed,
    failed,
    inconclusive,  // trouble of this host's own, which says nothing about the backend (scar 30)
  };

  Verdict verdict;
  std::string reason;  // in words, when it didn't pass
  Duration took{};
};

// One TCP check: a connect, then an orderly close. Connected is passed, even if the backend resets
// right after: a connect is what was asked. The close is a FIN, an answer to whatever the backend
// still sends (it is read and dropped), and only then the descriptor, since closing with bytes
// unread would put a reset into the application's log.
//
// Lives on its loop's thread; reports once, and may be destroyed in the report.
class Probe final : public loop::Poll::Handler {
 public:
  using Report = std::function<void(const ProbeResult&)>;

  // The time limit holds for the connect, and again for the closing.
  Probe(loop::Loop& loop, const SocketAddress& address, Duration timeout, Report report,
        const ConnectOptions& options = {});
  Probe(const Probe&) = delete;

 private:
  enum class State : std::uint8_t { connecting, closing, done };

  void on_ready(loop::Poll& poll, loop::Readiness ready) override;
  void on_timer();
  void on_connect_ready();
  void drain();
  void finish(int code);
  void let_go();

  loop::Loop& loop_;
  Duration timeout_;
  Report report_;
  TimePoint started_ = Clock::now();
  State state_ = State::connecting;
  int timer_means_ = ETIMEDOUT;  // while connecting
  Fd socket_;
  std::optional<loop::Poll> poll_;
  loop::Timer timer_;
};

}  // namespace holdfast::health
