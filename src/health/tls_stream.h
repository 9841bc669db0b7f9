#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "health/io.h"
#include "health/tls_context.h"

struct ssl_st;

namespace holdfast::health {

// TLS over a connected, non-blocking socket, which is borrowed, as a client. SIGPIPE must be
// ignored: OpenSSL writes with write(2).
class TlsStream {
 public:
  // `name`: whose certificate it must be, a host name or a numeric address; a host name is also
  // asked for (SNI). Empty: anybody's.
  TlsStream(std::shared_ptr<const TlsContext> context, int socket, const std::string& name);

  [[nodiscard]] Io shake_hands();
  // What was sent is taken off `rest`.
  [[nodiscard]] Io send(std::string_view& rest);
  // What was received is the beginning of `buffer`, `got` bytes.
  [[nodiscard]] Io receive(std::span<char> buffer, std::size_t& got);
  // Says that nothing more will be sent (close_notify), as far as there is room for it now.
  void finish_sending();

  // In words, after Io::failed.
  [[nodiscard]] const std::string& failure() const { return failure_; }

 private:
  struct Free {
    void operator()(ssl_st* stream) const;
  };

  [[nodiscard]] Io outcome_of(int result);

  std::shared_ptr<const TlsContext> context_;
  std::unique_ptr<ssl_st, Free> stream_;
  std::string failure_;
  bool broken_ = false;  // nothing may be sent any more, not even a goodbye
};

}  // namespace holdfast::health
