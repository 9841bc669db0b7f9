#include "holdfast/admin/http_server.h"

#include <microhttpd.h>

#include <cassert>
#include <cerrno>
#include <cstdio>

#include "admin/routes.h"
#include "admin/slots.h"
#include "holdfast/base/socket.h"

namespace holdfast::admin {
namespace {

constexpr std::size_t kConnectionMemory = 16 * 1024;  // a request's headers, and its answer's

Error explain(Error error, const Endpoint& endpoint) {
  error.message = "admin.http " + endpoint.to_string() + ": " + error_text(error.code);
  if (error.code == EADDRINUSE) {
    error.message += "; is another holdfast running? choose another port, or \"off\"";
  } else if (error.code == EACCES) {
    error.message += "; ports below 1024 need root or CAP_NET_BIND_SERVICE";
  }
  return error;
}

}  // namespace

class HttpServer::Impl {
 public:
  Impl(const HttpServerOptions& options, const state::SharedState& shared, std::string_view version,
       Log& log)
      : shared_(shared), version_(version), log_(log), slots_(options.max_connections) {}

  // Stops accepting, ends what is open and joins the thread; closes the socket.
  ~Impl() {
    if (daemon_ != nullptr) {
      MHD_stop_daemon(daemon_);
    }
  }

  Result<void> start(const HttpServerOptions& options) {
    auto address = SocketAddress::from(options.endpoint);
    if (!address) {
      return fail("admin.http: " + address.error().message + "; write a numeric address");
    }
    auto socket = listen_on(*address, false);
    if (!socket) {
      return tl::unexpected(explain(socket.error(), options.endpoint));
    }
    address_ = SocketAddress::local(socket->get()).value_or(*address);
    const auto seconds = std::chrono::ceil<std::chrono::seconds>(options.timeout).count();
    daemon_ = MHD_start_daemon(
        MHD_USE_EPOLL_INTERNAL_THREAD | MHD_USE_ERROR_LOG, 0, nullptr, nullptr, &answer, this,
        MHD_OPTION_EXTERNAL_LOGGER, &log_line, this,  // first, or errors before it go to stderr
        MHD_OPTION_LISTEN_SOCKET, socket->get(),      //
        // Slots keeps them below max_connections; those it has shut down are closed a bit later.
        MHD_OPTION_CONNECTION_LIMIT, 2 * options.max_connections,       //
        MHD_OPTION_CONNECTION_TIMEOUT, static_cast<unsigned>(seconds),  //
        MHD_OPTION_CONNECTION_MEMORY_LIMIT, kConnectionMemory,          //
        MHD_OPTION_NOTIFY_CONNECTION, &on_connection, this,             //
        MHD_OPTION_NOTIFY_COMPLETED, &on_completed, this,               //
        MHD_OPTION_END);
    if (daemon_ == nullptr) {
      return fail("admin.http " + options.endpoint.to_string() + ": cannot start the HTTP server");
    }
    static_cast<void>(socket->release());  // the daemon's from now on
    return {};
  }

  [[nodiscard]] const SocketAddress& address() const { return address_; }

 private:
  static MHD_Result answer(void* self, MHD_Connection* connection, const char* path,
                           const char* method, const char* /*version*/, const char* /*upload*/,
                           std::size_t* upload_size, void** request) {
    // libmicrohttpd calls once for the headers, then for each piece of the body, then to be
    // answered. A body is dropped.
    static int seen = 0;
    if (*request == nullptr) {
      *request = &seen;
      return MHD_YES;
    }
    if (*upload_size > 0) {
      *upload_size = 0;
      return MHD_YES;
    }
    const auto& impl = *static_cast<Impl*>(self);
    return send(connection, route(method, path, impl.shared_, impl.version_));
  }

  static MHD_Result send(MHD_Connection* connection, const Response& response) {
    // MUST_COPY: the body is gone before it is sent.
    auto* made = MHD_create_response_from_buffer(
        response.body.size(), const_cast<char*>(response.body.data()), MHD_RESPMEM_MUST_COPY);
    if (made == nullptr) {
      return MHD_NO;
    }
    MHD_add_response_header(made, MHD_HTTP_HEADER_CONTENT_TYPE, response.content_type.c_str());
    if (response.status == MHD_HTTP_METHOD_NOT_ALLOWED) {
      MHD_add_response_header(made, MHD_HTTP_HEADER_ALLOW, "GET, HEAD");
    }
    const auto queued = MHD_queue_response(connection, response.status, made);
    MHD_destroy_response(made);
    return queued;
  }

  static int socket_of(MHD_Connection* connection) {
    return MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd;
  }

  static void on_connection(void* self, MHD_Connection* connection, void** /*context*/,
                            MHD_ConnectionNotificationCode what) {
    auto& slots = static_cast<Impl*>(self)->slots_;
    switch (what) {
      case MHD_CONNECTION_NOTIFY_STARTED:
        slots.enter(socket_of(connection));
        return;
      case MHD_CONNECTION_NOTIFY_CLOSED:
        slots.leave(socket_of(connection));
        return;
    }
  }

  static void on_completed(void* self, MHD_Connection* connection, void** /*request*/,
                           MHD_RequestTerminationCode /*how*/) {
    static_cast<Impl*>(self)->slots_.renew(socket_of(connection));
  }

  __attribute__((format(printf, 2, 0))) static void log_line(void* self, const char* format,
                                                             va_list arguments) {
    char message[512];
    std::vsnprintf(message, sizeof message, format, arguments);
    static_cast<Impl*>(self)->log_.debug("admin http", {{"message", message}});
  }

  const state::SharedState& shared_;
  std::string version_;
  Log& log_;
  SocketAddress address_;
  Slots slots_;
  MHD_Daemon* daemon_ = nullptr;
};

Result<std::unique_ptr<HttpServer>> HttpServer::start(const HttpServerOptions& options,
                                                      const state::SharedState& shared,
                                                      std::string_view version, Log& log) {
  auto impl = std::make_unique<Impl>(options, shared, version, log);
  if (auto started = impl->start(options); !started) {
    return tl::unexpected(started.error());
  }
  return std::unique_ptr<HttpServer>(new HttpServer(std::move(impl)));
}

HttpServer::HttpServer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

HttpServer::~HttpServer() = default;

const SocketAddress& HttpServer::address() const {
  return impl_->address();
}

}  // namespace holdfast::admin
