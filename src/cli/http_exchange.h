#pragma once

#include <cstdint>
#include <list>
#include <optional>
#include <string>
#include <string_view>

#include "cli/http_response.h"
#include "holdfast/base/clock.h"
#include "holdfast/base/fd.h"
#include "holdfast/base/socket_address.h"
#include "holdfast/loop/poll.h"

namespace holdfast::cli {

enum class Outcome : std::uint8_t {
  answered,     // 200, complete
  refused,      // nobody listened
  reset,        // RST before the end of the response
  ended_early,  // FIN before the end of the response
  timed_out,
  not_sent,  // too many others were under way
  other,     // another status, no HTTP, no port or descriptor left on this host
};

[[nodiscard]] std::string_view to_string(Outcome outcome);

// What became of one request. Latency counts from when the request was due, not from when it was
// sent: a client that waits behind a slow answer would otherwise hide the waiting.
struct FinishedRequest {
  TimePoint intended;
  TimePoint started;
  TimePoint finished;
  Outcome outcome = Outcome::other;
  std::string instance;  // as the response's first line names it; empty unless answered

  [[nodiscard]] Duration latency() const { return finished - intended; }
};

// One request over a connection of its own, which this side closes first: so TIME-WAIT stays with
// those who connect and choose the ports. On the backend's side, it would meet a later connect from
// the same port, and cost it two jiffies before even a dead backend's refusal gets through. On the
// loop's thread, owned by a LoadGenerator.
class HttpExchange final : private loop::Poll::Handler {
 public:
  class Owner {
   public:
    // Takes the outcome and destroys the exchange.
    virtual void exchange_finished(HttpExchange& exchange, Outcome outcome) = 0;

   protected:
    ~Owner() = default;
  };

  // The socket's connect is under way. `request` and `owner` outlive the exchange.
  HttpExchange(loop::Loop& loop, Fd socket, std::string_view request, TimePoint intended,
               TimePoint started, Owner& owner);

  [[nodiscard]] TimePoint intended() const { return intended_; }
  [[nodiscard]] TimePoint started() const { return started_; }
  [[nodiscard]] std::string_view instance() const { return response_.first_body_line(); }

  // Its place in the owner's list, kept here so that finishing needs no search.
  std::list<HttpExchange>::iterator position;

 private:
  enum class State : std::uint8_t { connecting, receiving };

  void on_ready(loop::Poll& poll, loop::Readiness ready) override;
  // The outcome, once there is one.
  [[nodiscard]] std::optional<Outcome> send_request();
  [[nodiscard]] std::optional<Outcome> receive();

  Fd socket_;
  std::string_view request_;
  TimePoint intended_;
  TimePoint started_;
  Owner& owner_;
  State state_ = State::connecting;
  HttpResponse response_;
  loop::Poll poll_;
};

// How a failed system call on the way counts.
[[nodiscard]] Outcome outcome_of_error(int code);

}  // namespace holdfast::cli
