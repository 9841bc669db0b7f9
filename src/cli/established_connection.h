#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "cli/http_exchange.h"
#include "cli/http_response.h"
#include "holdfast/base/clock.h"
#include "holdfast/base/fd.h"
#include "holdfast/base/socket_address.h"
#include "holdfast/loop/poll.h"

namespace holdfast::cli {

// A connection to a balanced service that stays open, with an exchange over it now and then. It is
// lost as soon as it ends, or is answered wrongly: by another instance than before, for example.
// Then it stays lost. On the loop's thread, owned by EstablishedConnections.
class EstablishedConnection final : private loop::Poll::Handler {
 public:
  // Connects at once, and makes its first exchange. `request` outlives the connection.
  EstablishedConnection(loop::Loop& loop, const SocketAddress& target, std::string_view request);

  // Makes an exchange, unless one is under way. One that is under way for longer than `limit` loses
  // the connection.
  void ask(Duration limit);

  // What it was lost by.
  [[nodiscard]] const std::optional<Outcome>& loss() const { return loss_; }
  // Whether an exchange that began at or after this moment has been answered.
  [[nodiscard]] bool has_answered_since(TimePoint moment) const {
    return answered_ && *answered_ >= moment;
  }

 private:
  enum class State : std::uint8_t { connecting, asking, idle, lost };

  void on_ready(loop::Poll& poll, loop::Readiness ready) override;
  void send_request();
  void receive();
  void take_answer();
  void lose(Outcome outcome);

  std::string_view request_;
  State state_ = State::connecting;
  TimePoint asked_;
  std::optional<TimePoint> answered_;  // when the last exchange that was answered began
  std::optional<Outcome> loss_;
  HttpResponse response_;
  std::string instance_;  // who answered first
  Fd socket_;
  std::optional<loop::Poll> poll_;
};

}  // namespace holdfast::cli
