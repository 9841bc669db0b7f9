#pragma once

#include <gtest/gtest.h>

#include <thread>

#include "cli/port_reservation.h"
#include "cli/responder.h"
#include "holdfast/base/socket.h"
#include "holdfast/loop/mailbox.h"

namespace holdfast::cli {

// A Responder at work on a thread of its own, for as long as this lives.
class ResponderThread {
 public:
  explicit ResponderThread(const SocketAddress& address, std::string name = "web-1")
      : inbox_(loop_) {
    auto listener = listen_on(address, false);
    EXPECT_TRUE(listener);
    responder_.emplace(loop_, std::move(*listener), std::move(name));
    thread_ = std::thread([this] { loop_.run(); });
  }
  ResponderThread(ResponderThread&&) = delete;
  ~ResponderThread() {
    inbox_.post([this] { loop_.stop(); });
    thread_.join();
  }

 private:
  loop::Loop loop_;
  loop::Mailbox inbox_;
  std::optional<Responder> responder_;
  std::thread thread_;
};

}  // namespace holdfast::cli
