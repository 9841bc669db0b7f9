#pragma once

#include <functional>
#include <memory>
#include <string>

#include "holdfast/admin/routes.h"
#include "holdfast/base/fd.h"
#include "holdfast/base/log.h"
#include "holdfast/base/result.h"

namespace holdfast::admin {

struct HttpServerOptions {
  Fd listener;       // listens already
  std::string name;  // for messages, as in "admin.http 127.0.0.1:9870"
  std::function<Response(std::string_view method, std::string_view path, std::string_view body)>
      answer;
  // Of a request; one that sends more is refused (413).
  std::size_t longest_body = 16 * 1024;
  // A client that neither sends nor takes anything for this long is dropped.
  Duration timeout = std::chrono::seconds(10);
  // One more, and the oldest is dropped.
  unsigned max_connections = 64;
};

// Answers HTTP/1.1 from a thread of its own, by libmicrohttpd over a listening socket of ours. Slow
// or hostile clients cost that thread only, and so does an answer that takes its time. Destroying
// it stops and joins.
class HttpServer {
 public:
  // `log`, and what `answer` refers to, outlive the server.
  [[nodiscard]] static Result<std::unique_ptr<HttpServer>> start(HttpServerOptions options,
                                                                 Log& log);
  ~HttpServer();
  HttpServer(const HttpServer&) = delete;

  // No new clients from now on; those that are being answered still are. The socket listens on if
  // somebody else has it open too.
  void stop_listening();

  // The thread ends as soon as it isn't in the middle of an answer. For who can't wait for that, as
  // the answer may wait for him: destroying a server that has ended doesn't block.
  void end_soon();
  [[nodiscard]] bool has_ended() const;

 private:
  class Impl;
  explicit HttpServer(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace holdfast::admin
