#include "health/tls_stream.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <cerrno>
#include <climits>

#include "holdfast/base/result.h"
#include "holdfast/base/socket_address.h"

namespace holdfast::health {
namespace {

// Without its zone ("fe80::1%eth0"), which no certificate has. Empty for a host name.
std::string numeric_form(const std::string& name) {
  const auto address = SocketAddress::from(Endpoint{.host = name, .path = {}});
  if (!address) {
    return {};
  }
  const auto host = address->endpoint().host;
  return host.substr(0, host.find('%'));
}

int size_of(std::size_t bytes) {
  return static_cast<int>(std::min<std::size_t>(bytes, INT_MAX));
}

}  // namespace

void TlsStream::Free::operator()(ssl_st* stream) const {
  SSL_free(stream);
}

TlsStream::TlsStream(std::shared_ptr<const TlsContext> context, int socket, const std::string& name)
    : context_(std::move(context)), stream_(SSL_new(context_->get())) {
  if (!stream_ || SSL_set_fd(stream_.get(), socket) != 1) {
    stream_.reset();
    return;
  }
  SSL_set_connect_state(stream_.get());
  if (name.empty()) {
    return;
  }
  bool is_named = false;
  if (const auto numeric = numeric_form(name); !numeric.empty()) {
    is_named = X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(stream_.get()), numeric.c_str()) == 1;
  } else {
    // What SSL_set_tlsext_host_name is, without its cast.
    SSL_ctrl(stream_.get(), SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name,
             const_cast<char*>(name.c_str()));
    is_named = SSL_set1_host(stream_.get(), name.c_str()) == 1;
  }
  if (!is_named) {
    stream_.reset();  // anybody's certificate would do
  }
}

Io TlsStream::shake_hands() {
  if (!stream_) {
    failure_ = error_text(ENOMEM);
    return Io::failed;
  }
  ERR_clear_error();
  const auto io = outcome_of(SSL_do_handshake(stream_.get()));
  if (io == Io::ended) {
    failure_ = "closed in the TLS handshake";
    return Io::failed;
  }
  return io;
}

Io TlsStream::send(std::string_view& rest) {
  ERR_clear_error();
  const int sent = SSL_write(stream_.get(), rest.data(), size_of(rest.size()));
  if (sent > 0) {
    rest.remove_prefix(static_cast<std::size_t>(sent));
    return Io::done;
  }
  return outcome_of(sent);
}

Io TlsStream::receive(std::span<char> buffer, std::size_t& got) {
  ERR_clear_error();
  const int received = SSL_read(stream_.get(), buffer.data(), size_of(buffer.size()));
  got = received > 0 ? static_cast<std::size_t>(received) : 0;
  return received > 0 ? Io::done : outcome_of(received);
}

void TlsStream::finish_sending() {
  if (stream_ && !broken_ && SSL_is_init_finished(stream_.get()) == 1) {
    ERR_clear_error();
    static_cast<void>(SSL_shutdown(stream_.get()));
  }
}

Io TlsStream::outcome_of(int result) {
  const int code = errno;
  switch (SSL_get_error(stream_.get(), result)) {
    case SSL_ERROR_NONE:
      return Io::done;
    case SSL_ERROR_WANT_READ:
      return Io::want_read;
    case SSL_ERROR_WANT_WRITE:
      return Io::want_write;
    case SSL_ERROR_ZERO_RETURN:
      return Io::ended;
    case SSL_ERROR_SYSCALL:
      broken_ = true;
      if (code == 0) {
        return Io::ended;
      }
      failure_ = error_text(code);
      return Io::failed;
    default:  // SSL_ERROR_SSL; the others are of callbacks that aren't set
      break;
  }
  broken_ = true;
  const auto error = ERR_peek_error();
  if (ERR_GET_REASON(error) == SSL_R_UNEXPECTED_EOF_WHILE_READING) {
    return Io::ended;
  }
  if (ERR_GET_REASON(error) == SSL_R_CERTIFICATE_VERIFY_FAILED) {
    failure_ = std::string("certificate not valid: ") +
               X509_verify_cert_error_string(SSL_get_verify_result(stream_.get()));
    return Io::failed;
  }
  const char* reason = ERR_reason_error_string(error);
  failure_ = std::string("TLS: ") + (reason == nullptr ? "unknown error" : reason);
  return Io::failed;
}

}  // namespace holdfast::health
