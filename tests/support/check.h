#pragma once

#include <gtest/gtest.h>
#include <sys/socket.h>

#include <memory>
#include <optional>
#include <string>

#include "health/probe.h"
#include "support/turning.h"

namespace holdfast::testing {

// A type's defaults, with this time limit.
[[nodiscard]] inline HealthConfig check_of(CheckType type,
                                           Milliseconds timeout = std::chrono::seconds(10)) {
  HealthConfig config;
  config.type = type;
  config.timeout = timeout;
  return config;
}

[[nodiscard]] inline std::shared_ptr<const health::CheckPlan> plan_for(const SocketAddress& address,
                                                                       const HealthConfig& config) {
  return std::make_shared<const health::CheckPlan>(
      health::CheckPlan{.config = config, .address = address, .host = "10.0.0.1:80"});
}

// One probe on a loop of its own, and what it reported.
class Check {
 public:
  explicit Check(const SocketAddress& address,
                 const HealthConfig& config = check_of(CheckType::tcp))
      : probe_(std::in_place, loop, plan_for(address, config),
               [this](const health::ProbeResult& result) {
                 EXPECT_FALSE(result_) << "reports once";
                 result_ = result;
               }) {}
  Check(const SocketAddress& address, Milliseconds timeout)
      : Check(address, check_of(CheckType::tcp, timeout)) {}

  health::ProbeResult result() {
    EXPECT_TRUE(turn_until(loop, [this] { return result_.has_value(); }));
    return result_.value_or(health::ProbeResult{});
  }
  [[nodiscard]] bool has_reported() const { return result_.has_value(); }
  void destroy() { probe_.reset(); }

  // What has come at the backend's end once that many bytes have.
  std::string asked(const Fd& server, std::size_t bytes) {
    std::string received;
    EXPECT_TRUE(turn_until(loop, [&] {
      char buffer[1024];
      const auto got = ::recv(server.get(), buffer, sizeof buffer, MSG_DONTWAIT);
      received.append(buffer, got > 0 ? static_cast<std::size_t>(got) : 0);
      return received.size() >= bytes;
    }));
    return received;
  }

  loop::Loop loop;

 private:
  std::optional<health::ProbeResult> result_;
  std::optional<health::Probe> probe_;
};

}  // namespace holdfast::testing
