#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "health/check_plan.h"
#include "health/io.h"
#include "health/tls_stream.h"
#include "holdfast/base/fd.h"

namespace holdfast::health {

// The connection of one check: TCP or a Unix socket and, where it is asked for, TLS on top. Steps
// that never wait; whoever drives it waits for the socket. Owned by its Probe.
class Transport {
 public:
  struct Failure {
    int code = 0;  // errno; 0: of TLS
    std::string words;
  };

  // A connect that has been begun. The error carries the errno.
  [[nodiscard]] static Result<Transport> open(const CheckPlan& plan);

  // Connects and shakes hands. Call it when the socket is ready only.
  [[nodiscard]] Io establish();
  [[nodiscard]] bool is_connected() const { return connected_; }

  // What was sent is taken off `rest`.
  [[nodiscard]] Io send(std::string_view& rest);
  // What was received is the beginning of `buffer`, `got` bytes.
  [[nodiscard]] Io receive(std::span<char> buffer, std::size_t& got);

  // The orderly end: close_notify and FIN.
  void finish_sending();
  // Drops what the other side still sends. False once it has ended too.
  [[nodiscard]] bool drain();

  [[nodiscard]] int socket() const { return socket_.get(); }
  // After Io::failed.
  [[nodiscard]] const Failure& failure() const { return failure_; }

 private:
  Transport(Fd socket, std::unique_ptr<TlsStream> tls)
      : socket_(std::move(socket)), tls_(std::move(tls)) {}

  [[nodiscard]] Io fail_with(int code);
  [[nodiscard]] Io outcome_of(Io tls);

  Fd socket_;
  std::unique_ptr<TlsStream> tls_;  // goes before the socket
  bool connected_ = false;
  int reset_by_ = 0;  // errno of a reset that came with the connect; 0: none
  Failure failure_;
};

}  // namespace holdfast::health
