#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "holdfast/config/health_config.h"
#include "holdfast/health/agent_report.h"

namespace holdfast::health {

// What the answer to a check comes to.
struct Answer {
  bool passed = false;
  std::string reason;  // in words, when it didn't pass
  std::optional<AgentReport> agent = std::nullopt;
};

// What is said over a check's connection: the bytes to send, and the judgement of what comes back,
// as early as it can be told. Knows nothing of sockets; one for each check. Borrows the
// configuration.
class Exchange {
 public:
  // `host`: of an HTTP request, unless the configuration has one.
  Exchange(const HealthConfig& config, std::string_view host);

  // Whether anything is said at all; a connect is enough otherwise.
  [[nodiscard]] static bool is_needed(const HealthConfig& config);

  [[nodiscard]] const std::string& request() const { return request_; }
  // Whether the other side ends the connection by itself after its answer: it would take an earlier
  // FIN of ours for a client that has left.
  [[nodiscard]] bool is_ended_by_backend() const { return config_.type == CheckType::http; }

  // More of what came back. Nothing: it takes more still.
  [[nodiscard]] std::optional<Answer> take(std::string_view bytes);
  // Nothing more comes.
  [[nodiscard]] Answer end();
  // Nothing more was waited for.
  [[nodiscard]] Answer give_up() const;

 private:
  [[nodiscard]] std::optional<Answer> judge_expected();
  [[nodiscard]] std::optional<Answer> judge_http();
  [[nodiscard]] std::optional<Answer> wait_for_status() const;
  [[nodiscard]] std::optional<Answer> judge_agent(bool ended);
  [[nodiscard]] bool is_expected(unsigned status) const;

  const HealthConfig& config_;
  std::string request_;
  std::string received_;
  std::size_t looked_at_ = 0;  // bytes of it in which the answer doesn't begin
};

}  // namespace holdfast::health
