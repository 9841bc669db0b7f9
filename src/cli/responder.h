#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <unordered_map>

#include "cli/responder_connection.h"
#include "holdfast/base/fd.h"
#include "holdfast/loop/poll.h"
#include "holdfast/loop/timer.h"

namespace holdfast::cli {

// A small HTTP/1.1 service that says its name, to try a balancer on: GET / answers with the name,
// GET /bytes/N with N bytes. On the loop's thread; what makes it owns it.
class Responder final : private loop::Poll::Handler, private ResponderConnection::Owner {
 public:
  // `listener` listens already.
  Responder(loop::Loop& loop, Fd listener, std::string name);
  Responder(Responder&&) = delete;

  [[nodiscard]] std::size_t connections() const { return connections_.size(); }

 private:
  void on_ready(loop::Poll& poll, loop::Readiness ready) override;
  void connection_ended(ResponderConnection& connection) override;
  void close_overdue();

  loop::Loop& loop_;
  Fd listener_;
  std::string name_;
  loop::Poll poll_;
  loop::Timer pause_;  // accepting goes on when it fires
  loop::Timer sweep_;
  std::unordered_map<const ResponderConnection*, std::unique_ptr<ResponderConnection>> connections_;
};

}  // namespace holdfast::cli
