#pragma once

#include <functional>
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

  // The answer to ask(), which gets or posts what may be asked twice. While no worker serves that
  // could do it (one is starting, or makes way for an upgrade), and when one ends under it, it asks
  // again, for some seconds.
  [[nodiscard]] static Result<Answer> ask_again(const std::function<Result<Answer>()>& ask);

 private:
  // Posts a body, else gets.
  [[nodiscard]] Result<Answer> ask(const std::string* posted, const std::string& path,
                                   Duration limit) const;

  std::string socket_;
};

}  // namespace holdfast::cli
