#include "holdfast/admin/http_server.h"

#include <microhttpd.h>
#include <poll.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cassert>
#include <cerrno>
#include <cstdio>
#include <deque>
#include <system_error>
#include <thread>

#include "holdfast/base/socket.h"

namespace holdfast::admin {
namespace {

constexpr std::size_t kConnectionMemory = 16 * 1024;  // a request's headers, and its answer's

// libmicrohttpd's own limit turns newcomers away, so it is above ours by what is being shut down.
constexpr unsigned kBeingShutDown = 16;
constexpr unsigned kAcceptBurst = 8;  // so that these have been closed before the next ones come
constexpr int kAcceptPauseMs = 100;

}  // namespace

class HttpServer::Impl {
 public:
  Impl(HttpServerOptions options, Log& log) : options_(std::move(options)), log_(log) {}

  // Stops accepting, joins the thread and ends what is open.
  ~Impl() {
    if (thread_.joinable()) {
      end_soon();
      thread_.join();
    }
    if (daemon_ != nullptr) {
      MHD_stop_daemon(daemon_);
    }
  }

  Result<void> start() {
    const auto seconds = std::chrono::ceil<std::chrono::seconds>(options_.timeout).count();
    daemon_ =
        MHD_start_daemon(MHD_USE_EPOLL | MHD_USE_NO_LISTEN_SOCKET | MHD_USE_ERROR_LOG, 0, nullptr,
                         nullptr, &answer, this, MHD_OPTION_EXTERNAL_LOGGER, &log_line,
                         this,  // first, or errors before it go to stderr
                         MHD_OPTION_CONNECTION_LIMIT, options_.max_connections + kBeingShutDown,
                         MHD_OPTION_NOTIFY_CONNECTION, &on_connection, this,  //
                         MHD_OPTION_NOTIFY_COMPLETED, &on_completed, this,    //
                         MHD_OPTION_CONNECTION_TIMEOUT, static_cast<unsigned>(seconds),
                         MHD_OPTION_CONNECTION_MEMORY_LIMIT, kConnectionMemory,  //
                         MHD_OPTION_END);
    told_ = Fd(::eventfd(0, EFD_CLOEXEC));
    if (daemon_ == nullptr || !told_.is_open()) {
      return fail(options_.name + ": cannot start the HTTP server");
    }
    try {
      thread_ = std::thread([this] { serve(); });
    } catch (const std::system_error& error) {
      return fail(options_.name + ": cannot start a thread", error.code().value());
    }
    pthread_setname_np(thread_.native_handle(), "http");
    return {};
  }

  void stop_listening() { ::eventfd_write(told_.get(), 1); }

  void end_soon() {
    ending_ = true;
    ::eventfd_write(told_.get(), 1);
  }
  [[nodiscard]] bool has_ended() const { return ended_; }

 private:
  struct Body {
    std::string text;
    bool is_too_long = false;
  };

  // libmicrohttpd's own accept loop is not used: out of descriptors, it spins (scar 26).
  void serve() {
    const int events = MHD_get_daemon_info(daemon_, MHD_DAEMON_INFO_EPOLL_FD)->epoll_fd;
    bool paused = false;
    for (;;) {
      pollfd waiting[] = {{told_.get(), POLLIN, 0},
                          {events, POLLIN, 0},
                          {paused ? -1 : options_.listener.get(), POLLIN, 0}};
      ::poll(waiting, std::size(waiting), next_timeout_ms(paused));
      if (waiting[0].revents != 0) {
        eventfd_t ignored = 0;
        ::eventfd_read(told_.get(), &ignored);
        if (ending_) {  // after the read: who is told again meanwhile is told of both
          ended_ = true;
          return;
        }
        options_.listener.reset();
      }
      paused = !accept_clients();
      MHD_run(daemon_);
    }
  }

  // -1 for none, as poll(2) has it.
  [[nodiscard]] int next_timeout_ms(bool paused) const {
    MHD_UNSIGNED_LONG_LONG timeout = 0;
    const bool has_timeout = MHD_get_timeout(daemon_, &timeout) == MHD_YES;
    if (paused) {
      return has_timeout && timeout < kAcceptPauseMs ? static_cast<int>(timeout) : kAcceptPauseMs;
    }
    return has_timeout ? static_cast<int>(timeout) : -1;
  }

  // False when this host lacks what it takes to accept another one now.
  [[nodiscard]] bool accept_clients() {
    for (unsigned i = 0; i < kAcceptBurst && options_.listener.is_open(); ++i) {
      sockaddr_storage peer{};
      socklen_t size = sizeof peer;
      auto* address = reinterpret_cast<sockaddr*>(&peer);
      const int client =
          ::accept4(options_.listener.get(), address, &size, SOCK_NONBLOCK | SOCK_CLOEXEC);
      if (client < 0) {
        return !is_local_trouble(errno);
      }
      MHD_add_connection(daemon_, client, address, size);  // closes the socket when it fails
    }
    return true;
  }

  // The newest client is served whatever the others do: when there are too many, the oldest goes.
  // The timeout alone doesn't see to that, since every byte of a dripping client begins it anew
  // (scar 44).
  static void on_connection(void* self, MHD_Connection* connection, void** /*context*/,
                            MHD_ConnectionNotificationCode code) {
    auto& impl = *static_cast<Impl*>(self);
    auto& clients = impl.clients_;
    const auto* info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    if (code == MHD_CONNECTION_NOTIFY_CLOSED) {
      std::erase(clients, info->connect_fd);
      return;
    }
    clients.push_back(info->connect_fd);
    if (clients.size() > impl.options_.max_connections) {
      ::shutdown(clients.front(), SHUT_RDWR);
      clients.pop_front();
    }
  }

  static MHD_Result answer(void* self, MHD_Connection* connection, const char* path,
                           const char* method, const char* /*version*/, const char* upload,
                           std::size_t* upload_size, void** request) {
    // libmicrohttpd calls once for the headers, then for each piece of the body, then to be
    // answered.
    if (*request == nullptr) {
      *request = new Body;  // on_completed() deletes it, however the request ends
      return MHD_YES;
    }
    const auto& impl = *static_cast<Impl*>(self);
    auto& body = *static_cast<Body*>(*request);
    if (*upload_size > 0) {
      // The rest of one that is too long is read and dropped: the answer would be lost otherwise.
      const auto room = impl.options_.longest_body - body.text.size();
      body.text.append(upload, std::min(*upload_size, room));
      body.is_too_long = body.is_too_long || *upload_size > room;
      *upload_size = 0;
      return MHD_YES;
    }
    if (body.is_too_long) {
      return send(connection, {.status = MHD_HTTP_CONTENT_TOO_LARGE, .body = "too long\n"});
    }
    return send(connection, impl.options_.answer(method, path, body.text));
  }

  static void on_completed(void* /*self*/, MHD_Connection* /*connection*/, void** request,
                           MHD_RequestTerminationCode /*code*/) {
    delete static_cast<Body*>(*request);
    *request = nullptr;
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
      const bool is_post = response.body.find("POST") != std::string::npos;
      MHD_add_response_header(made, MHD_HTTP_HEADER_ALLOW, is_post ? "POST" : "GET, HEAD");
    }
    const auto queued = MHD_queue_response(connection, response.status, made);
    MHD_destroy_response(made);
    return queued;
  }

  __attribute__((format(printf, 2, 0))) static void log_line(void* self, const char* format,
                                                             va_list arguments) {
    char message[512];
    std::vsnprintf(message, sizeof message, format, arguments);
    static_cast<Impl*>(self)->log_.debug("admin http", {{"message", message}});
  }

  HttpServerOptions options_;
  Log& log_;
  Fd told_;  // readable once the thread is to stop listening, or to end
  std::atomic<bool> ending_ = false;
  std::atomic<bool> ended_ = false;
  MHD_Daemon* daemon_ = nullptr;
  std::thread thread_;
  std::deque<int> clients_;  // sockets, the oldest first; of the thread
};

Result<std::unique_ptr<HttpServer>> HttpServer::start(HttpServerOptions options, Log& log) {
  auto impl = std::make_unique<Impl>(std::move(options), log);
  if (auto started = impl->start(); !started) {
    return tl::unexpected(started.error());
  }
  return std::unique_ptr<HttpServer>(new HttpServer(std::move(impl)));
}

HttpServer::HttpServer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

HttpServer::~HttpServer() = default;

void HttpServer::stop_listening() {
  impl_->stop_listening();
}

void HttpServer::end_soon() {
  impl_->end_soon();
}

bool HttpServer::has_ended() const {
  return impl_->has_ended();
}

}  // namespace holdfast::admin
