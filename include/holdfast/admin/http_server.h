#pragma once

#include <memory>

#include "holdfast/base/log.h"
#include "holdfast/base/result.h"
#include "holdfast/base/socket_address.h"
#include "holdfast/state/shared_state.h"

namespace holdfast::admin {

struct HttpServerOptions {
  Endpoint endpoint;
  // A client that neither sends nor takes anything for this long is dropped.
  Duration timeout = std::chrono::seconds(10);
  // One more, and the oldest is dropped.
  unsigned max_connections = 64;
};

// Serves admin/routes over HTTP/1.1 from a thread of its own, by libmicrohttpd over a listening
// socket of ours. Slow or hostile clients cost that thread only. Destroying it stops and joins.
class HttpServer {
 public:
  // `shared` and `log` outlive the server. The error names the address and what to do.
  [[nodiscard]] static Result<std::unique_ptr<HttpServer>> start(const HttpServerOptions& options,
                                                                 const state::SharedState& shared,
                                                                 std::string_view version,
                                                                 Log& log);
  ~HttpServer();
  HttpServer(const HttpServer&) = delete;

  // As bound: with the kernel's choice where port 0 was asked for.
  [[nodiscard]] const SocketAddress& address() const;

 private:
  class Impl;
  explicit HttpServer(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace holdfast::admin
