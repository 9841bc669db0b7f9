#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "health/check_plan.h"
#include "health/exchange.h"
#include "health/transport.h"
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
  std::optional<AgentReport> agent = std::nullopt;  // what an agent said
};

// One check: a transport (a connect, maybe a TLS handshake), an exchange over it where the type has
// one, then an orderly close. Without an exchange or TLS, connected is passed, even if the backend
// resets right after: a connect is what was asked. The close is a FIN, an answer to whatever the
// backend still sends (it is read and dropped), and only then the descriptor, since closing with
// bytes unread would put a reset into the application's log. An HTTP server ends the connection
// itself; it would log a FIN before that as a client that left.
//
// Lives on its loop's thread; reports once, and may be destroyed in the report.
class Probe final : public loop::Poll::Handler {
 public:
  using Report = std::function<void(const ProbeResult&)>;

  // The plan's time limit holds for all up to the verdict (scar 34), and again for the closing.
  Probe(loop::Loop& loop, std::shared_ptr<const CheckPlan> plan, Report report);
  Probe(const Probe&) = delete;

 private:
  enum class State : std::uint8_t { establishing, sending, receiving, closing, done };

  void on_ready(loop::Poll& poll, loop::Readiness ready) override;
  void on_timer();

  // Goes as far as the socket lets it; the result once there is one.
  [[nodiscard]] std::optional<ProbeResult> advance();
  [[nodiscard]] std::optional<ProbeResult> establish();
  [[nodiscard]] std::optional<ProbeResult> send();
  [[nodiscard]] std::optional<ProbeResult> receive();
  void wait_for(Io io);
  [[nodiscard]] ProbeResult failure() const;
  [[nodiscard]] ProbeResult timeout() const;

  void finish(ProbeResult result);
  void begin_closing();
  void let_go();

  loop::Loop& loop_;
  std::shared_ptr<const CheckPlan> plan_;
  Report report_;
  TimePoint started_ = Clock::now();
  State state_ = State::establishing;
  std::optional<ProbeResult> settled_;  // before anything could begin
  std::optional<Exchange> exchange_;
  std::string_view to_send_;  // what is left of the exchange's request
  std::optional<Transport> transport_;
  std::optional<loop::Poll> poll_;
  loop::Timer timer_;
};

}  // namespace holdfast::health
