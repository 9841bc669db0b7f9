#pragma once

#include <optional>

#include "holdfast/state/connection_record.h"
#include "relay/context.h"

namespace holdfast::relay {

// Finds a backend that answers: tries one after the other, never one twice, before any byte of the
// client was read, so that the client notices nothing but time. What has been tried is in the
// connection's record. One session's own.
class Connector {
 public:
  Connector(Context& context, const Service& service, state::ConnectionRecord& record)
      : context_(context), service_(service), record_(record) {}

  // Starts the next attempt. True when a connect is under way on record.backend_fd; false when no
  // backend or no attempt is left.
  [[nodiscard]] bool try_next();

  // The socket became writable or failed: 0 when it is connected, else the errno.
  [[nodiscard]] int finish();

  // The attempt under way came to nothing, for this reason (ETIMEDOUT when it took too long): its
  // socket is closed, the failure counted.
  void give_up(int code);

  // The backend being tried or connected to; nullptr before and between attempts.
  [[nodiscard]] const pool::Backend* backend() const { return backend_; }

 private:
  Context& context_;
  const Service& service_;
  state::ConnectionRecord& record_;
  const pool::Backend* backend_ = nullptr;
  TimePoint started_{};
};

}  // namespace holdfast::relay
