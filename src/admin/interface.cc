#include "holdfast/admin/interface.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "holdfast/admin/instance_lock.h"
#include "holdfast/base/socket.h"

namespace holdfast::admin {
namespace {

using state::AdminSocket;
using state::ListeningSocket;

// An answer that is under way is given this long.
constexpr auto kLeave = std::chrono::seconds(5);

// The descriptors that are set aside for both (worker/descriptor_budget) are for no more.
constexpr unsigned kMostReaders = 64;
constexpr unsigned kMostOperators = 8;

const char* key_of(AdminSocket which) {
  return which == AdminSocket::http ? "admin.http" : "admin.socket";
}

Error explain(Error error, AdminSocket which, const Endpoint& endpoint) {
  const std::string key = key_of(which);
  if (endpoint.kind == Endpoint::Kind::unix_path) {
    // It says which file, and what is in the way.
    error.message = key + ": " + error.message + "; choose another path, or \"off\"";
    return error;
  }
  error.message = key + " " + endpoint.to_string() + ": " +
                  (error.code != 0 ? error_text(error.code) : error.message);
  if (error.code == EADDRINUSE) {
    error.message += "; is another holdfast running? choose another address, or \"off\"";
  } else if (error.code == EACCES) {
    error.message += "; ports below 1024 need root or CAP_NET_BIND_SERVICE";
  }
  return error;
}

// Only for the user that the instance runs as, and root.
Result<Fd> listen_privately(const SocketAddress& address) {
  const auto before = ::umask(S_IXUSR | S_IRWXG | S_IRWXO);
  auto listener = listen_on(address, false);
  ::umask(before);
  return listener;
}

}  // namespace

Interface::Interface(state::SharedState& shared, Subject subject, Log& log)
    : shared_(shared), subject_(std::move(subject)), log_(log) {}

Interface::~Interface() = default;

ListeningSocket& Interface::record(const Door& door) const {
  return shared_.admin_socket(door.which);
}

Result<void> Interface::start(const AdminConfig& config, bool must_go_on) {
  const auto begin_one = [&](Door& door, const std::optional<Endpoint>& endpoint) -> Result<void> {
    if (!endpoint) {
      forget(door);
      return {};
    }
    auto begun = begin(door, *endpoint);
    if (!begun && must_go_on) {
      log_.error("admin not listening", {{"reason", begun.error().message}});
      return {};
    }
    return begun;
  };
  return begin_one(http_, config.http).and_then([&] {
    // Without the lock nobody could tell whose socket it is.
    return begin_one(control_, shared_.lock_fd.get() != 0 ? config.socket : std::nullopt);
  });
}

Result<void> Interface::begin(Door& door, const Endpoint& endpoint) {
  auto& socket = record(door);
  const auto asked = SocketAddress::from(endpoint);
  const auto own = SocketAddress::local(socket.fd);
  if (socket.is_used() && asked && socket.asked == *asked && own && *own == socket.address) {
    auto server = serve(door, socket.fd, endpoint);
    if (!server) {
      return tl::unexpected(server.error());
    }
    door.server = std::move(*server);
    door.endpoint = endpoint;
    return {};
  }
  forget(door);
  auto opened = open(door, endpoint);
  if (!opened) {
    return tl::unexpected(opened.error());
  }
  adopt(door, std::move(*opened), endpoint);
  return {};
}

Result<void> Interface::change(const AdminConfig& config) {
  std::optional<Opened> http;
  std::optional<Opened> control;
  std::optional<Fd> lock;
  const bool http_changes = config.http != http_.endpoint;
  const bool control_changes =
      config.socket != control_.endpoint && (config.socket_mark.line > 0 || control_.endpoint);
  if (http_changes && config.http) {
    auto opened = open(http_, *config.http);
    if (!opened) {
      return tl::unexpected(opened.error());
    }
    http = std::move(*opened);
  }
  if (control_changes && config.socket) {
    auto locked = lock_instance(config.socket->path);
    if (!locked || !*locked) {
      return locked ? fail("admin.socket " + config.socket->path + ": another instance has it")
                    : tl::unexpected(locked.error());
    }
    auto opened = open(control_, *config.socket);
    if (!opened) {
      return tl::unexpected(opened.error());
    }
    lock = std::move(*locked);
    control = std::move(*opened);
  }
  if (http_changes) {
    forget(http_);
    if (http) {
      adopt(http_, std::move(*http), *config.http);
    }
  }
  if (control_changes) {
    forget(control_);
    const Fd before(static_cast<int>(shared_.lock_fd.get()));
    shared_.lock_fd.set(lock ? static_cast<std::uint32_t>(lock->release()) : 0);
    if (control) {
      adopt(control_, std::move(*control), *config.socket);
    }
  }
  return {};
}

Result<Interface::Opened> Interface::open(const Door& door, const Endpoint& endpoint) {
  const auto address = SocketAddress::from(endpoint);
  if (!address) {
    return tl::unexpected(explain(address.error(), door.which, endpoint));
  }
  auto listener =
      door.which == AdminSocket::control ? listen_privately(*address) : listen_on(*address, false);
  if (!listener) {
    return tl::unexpected(explain(listener.error(), door.which, endpoint));
  }
  auto server = serve(door, listener->get(), endpoint);
  if (!server) {
    return tl::unexpected(server.error());
  }
  return Opened{std::move(*listener), *address, std::move(*server)};
}

Result<std::unique_ptr<HttpServer>> Interface::serve(const Door& door, int listener,
                                                     const Endpoint& endpoint) {
  const bool may_change = door.which == AdminSocket::control;
  return HttpServer::start(
      {.listener = Fd(::fcntl(listener, F_DUPFD_CLOEXEC, 0)),
       .name = std::string(key_of(door.which)) + " " + endpoint.to_string(),
       .answer =
           [this, may_change](std::string_view method, std::string_view path,
                              std::string_view body) {
             return route({.method = method, .path = path, .may_change = may_change, .body = body},
                          subject_);
           },
       .max_connections = may_change ? kMostOperators : kMostReaders},
      log_);
}

void Interface::adopt(Door& door, Opened opened, const Endpoint& endpoint) {
  auto& socket = record(door);
  socket = ListeningSocket{};
  socket.asked = opened.asked;
  socket.address = SocketAddress::local(opened.listener.get()).value_or(opened.asked);
  note_file(socket);
  socket.fd = opened.listener.release();
  socket.publish();
  door.server = std::move(opened.server);
  door.endpoint = endpoint;
  log_.info(door.which == AdminSocket::http ? "admin listening" : "control listening",
            {{"address", socket.address.to_string()}});
}

void Interface::forget(Door& door) {
  auto& socket = record(door);
  if (socket.is_used()) {
    socket.forget();
    remove_file(socket);
    ::close(socket.fd);
  }
  if (door.server) {
    door.server->stop_listening();
    leaving_.emplace_back(Clock::now() + kLeave, std::move(door.server));
  }
  door.endpoint.reset();
}

void Interface::tend() {
  const auto now = Clock::now();
  for (const auto& [until, server] : leaving_) {
    if (until <= now) {
      server->end_soon();
    }
  }
  std::erase_if(leaving_, [](const auto& one) { return one.second->has_ended(); });
}

void Interface::close() {
  forget(http_);
  forget(control_);
  leaving_.clear();
}

}  // namespace holdfast::admin
