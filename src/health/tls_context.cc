#include "health/tls_context.h"

#include <openssl/err.h>
#include <openssl/ssl.h>

namespace holdfast::health {
namespace {

std::string reason_of_last_error() {
  const char* reason = ERR_reason_error_string(ERR_peek_last_error());
  return reason == nullptr ? "unknown error" : reason;
}

}  // namespace

void TlsContext::Free::operator()(ssl_ctx_st* context) const {
  SSL_CTX_free(context);
}

Result<std::shared_ptr<const TlsContext>> TlsContext::make(const CheckTlsConfig& config) {
  ERR_clear_error();
  std::shared_ptr<const TlsContext> made(new TlsContext(SSL_CTX_new(TLS_client_method())));
  auto* context = made->get();
  if (context == nullptr) {
    return fail("no TLS: " + reason_of_last_error());
  }
  SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_verify(context, config.verify ? SSL_VERIFY_PEER : SSL_VERIFY_NONE, nullptr);
  if (config.verify) {
    const int loaded = config.ca.empty()
                           ? SSL_CTX_set_default_verify_paths(context)
                           : SSL_CTX_load_verify_locations(context, config.ca.c_str(), nullptr);
    if (loaded != 1) {
      return fail("cannot read the certificates in " +
                  (config.ca.empty() ? "the system's directory" : config.ca) + ": " +
                  reason_of_last_error());
    }
  }
  return made;
}

const Result<std::shared_ptr<const TlsContext>>& TlsContexts::find(const CheckTlsConfig& config) {
  const auto key = std::pair(config.verify, config.verify ? config.ca : std::string());
  auto place = contexts_.find(key);
  if (place == contexts_.end()) {
    place = contexts_.emplace(key, TlsContext::make(config)).first;
  }
  return place->second;
}

}  // namespace holdfast::health
