#include "cli/established_connections.h"

#include <algorithm>
#include <utility>

namespace holdfast::cli {

EstablishedConnections::EstablishedConnections(loop::Loop& loop, const Options& options)
    : options_(options),
      request_("GET / HTTP/1.1\r\nHost: " + options.target.to_string() + "\r\n\r\n"),
      turns_(loop, [this] { take_turn(); }) {
  for (std::size_t i = 0; i < options.number; ++i) {
    connections_.emplace_back(loop, options.target, request_);
  }
  turns_.start_every(options.round / static_cast<int>(options.number));
}

void EstablishedConnections::after_a_round(std::function<void()> then) {
  round_began_ = Clock::now();
  then_ = std::move(then);
}

std::size_t EstablishedConnections::lost() const {
  return static_cast<std::size_t>(
      std::count_if(connections_.begin(), connections_.end(),
                    [](const auto& connection) { return connection.loss().has_value(); }));
}

std::map<Outcome, std::size_t> EstablishedConnections::losses() const {
  std::map<Outcome, std::size_t> losses;
  for (const auto& connection : connections_) {
    if (connection.loss()) {
      ++losses[*connection.loss()];
    }
  }
  return losses;
}

void EstablishedConnections::take_turn() {
  connections_[turn_].ask(options_.answer_limit);
  turn_ = (turn_ + 1) % connections_.size();
  if (then_ && all_have_answered_since(round_began_)) {
    std::exchange(then_, nullptr)();
  }
}

bool EstablishedConnections::all_have_answered_since(TimePoint moment) const {
  return std::all_of(connections_.begin(), connections_.end(), [moment](const auto& connection) {
    return connection.loss() || connection.has_answered_since(moment);
  });
}

}  // namespace holdfast::cli
