#pragma once

#include <optional>

#include "holdfast/state/connection_record.h"
#include "relay/context.h"

namespace holdfast::relay {

// Finds a backend that answers: tries one after the other, never one twice, before any byte of the
// client was read, so that the client notices nothing but time. What has been tried, and what the
// connection is on, is in its record. One session's own.
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

  // Whatever was tried before is forgotten, and its socket closed: a worker that died may have
  // been anywhere in it. Nothing was sent, so that beginning again is safe.
  void begin_again();

  // Lets go of the backend that is connected to, in the counts; its socket is the record's.
  void release();

 private:
  Context& context_;
  const Service& service_;
  state::ConnectionRecord& record_;
  TimePoint started_{};
};

}  // namespace holdfast::relay
