#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "holdfast/base/clock.h"
#include "holdfast/base/result.h"

namespace holdfast::cli {

// Asks a running instance over its control socket (admin.socket), one request at a time.
class ControlClient {
 public:
  struct Answer {
    long status = 0;
    nlohmann::json body;
  };

  explicit ControlClient(std::string socket) : socket_(std::move(socket)) {}

  // The error says whether nobody is there (code ECONNREFUSED), the instance went away meanwhile
  // (code ECONNRESET), or what else was wrong. `limit` of the whole exchange.
  [[nodiscard]] Result<Answer> get(const std::string& path, Duration limit) const;
  // `body` is JSON, or nothing.
  [[nodiscard]] Result<Answer> post(const std::string& path, Duration limit,
                                    const std::string& body = {}) const;

 private:
  // Posts a body, else gets.
  [[nodiscard]] Result<Answer> ask(const std::string* posted, const std::string& path,
                                   Duration limit) const;

  std::string socket_;
};

}  // namespace holdfast::cli
