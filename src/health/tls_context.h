#pragma once

#include <map>
#include <memory>
#include <string>
#include <utility>

#include "holdfast/base/result.h"
#include "holdfast/config/health_config.h"

struct ssl_ctx_st;

namespace holdfast::health {

// What the TLS handshakes of many checks have in common: the certificates that are trusted.
// Immutable. Control thread.
class TlsContext {
 public:
  // The error says why nothing can be verified with it.
  [[nodiscard]] static Result<std::shared_ptr<const TlsContext>> make(const CheckTlsConfig& config);

  [[nodiscard]] ssl_ctx_st* get() const { return context_.get(); }

 private:
  struct Free {
    void operator()(ssl_ctx_st* context) const;
  };

  explicit TlsContext(ssl_ctx_st* context) : context_(context) {}

  std::unique_ptr<ssl_ctx_st, Free> context_;
};

// Contexts by what they trust, each made once: to read the system's certificates takes
// milliseconds.
class TlsContexts {
 public:
  [[nodiscard]] const Result<std::shared_ptr<const TlsContext>>& find(const CheckTlsConfig& config);

 private:
  std::map<std::pair<bool, std::string>, Result<std::shared_ptr<const TlsContext>>> contexts_;
};

}  // namespace holdfast::health
