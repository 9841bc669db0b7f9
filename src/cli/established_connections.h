#pragma once

#include <cstddef>
#include <deque>
#include <functional>
#include <map>
#include <string>

#include "cli/established_connection.h"
#include "holdfast/loop/timer.h"

namespace holdfast::cli {

// A number of connections that stay open, each making an exchange when its turn comes: at any
// moment most of them are idle. On the loop's thread; what makes it owns it.
class EstablishedConnections {
 public:
  struct Options {
    SocketAddress target = {};
    std::size_t number = 100;
    Duration round = std::chrono::seconds(1);         // in which each has its turn
    Duration answer_limit = std::chrono::seconds(5);  // of an exchange
  };

  // Opens them at once.
  EstablishedConnections(loop::Loop& loop, const Options& options);

  // Calls `then` once each has made an exchange that began from now on, or is lost. It may not
  // destroy this.
  void after_a_round(std::function<void()> then);

  [[nodiscard]] std::size_t number() const { return connections_.size(); }
  [[nodiscard]] std::size_t lost() const;
  // How many were lost by what.
  [[nodiscard]] std::map<Outcome, std::size_t> losses() const;

 private:
  void take_turn();
  [[nodiscard]] bool all_have_answered_since(TimePoint moment) const;

  Options options_;
  std::string request_;
  std::deque<EstablishedConnection> connections_;
  std::size_t turn_ = 0;
  TimePoint round_began_;
  std::function<void()> then_;
  loop::Timer turns_;
};

}  // namespace holdfast::cli
