#include "worker/listening_sockets.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <span>

#include "holdfast/base/fault.h"
#include "holdfast/base/socket.h"

namespace holdfast::worker {
namespace {

using state::ListeningSocket;

Result<Fd> make_bound(const SocketAddress& address, const ListeningSocket* first) {
  if (first == nullptr || !address.is_unix()) {
    return bind_to(first != nullptr ? first->address : address, !address.is_unix());
  }
  Fd same(::fcntl(first->fd, F_DUPFD_CLOEXEC, 0));
  if (!same.is_open()) {
    return fail("cannot share " + address.to_string(), errno);
  }
  return same;
}

}  // namespace

// Without SO_REUSEPORT first: it would let us share the port with another process of the same
// user, a second holdfast say, which would take half of the connections unnoticed. Bound only: a
// listening socket would collect connections, and closing it reset them. A port that is ours
// already, on another address of this host, can't be asked for like that.
Result<void> ListeningSockets::claim(const SocketAddress& address) const {
  const auto mine = all();
  if (address.port() == 0 ||
      (!address.is_unix() && std::ranges::any_of(mine, [&](const auto* socket) {
        return !socket->address.is_unix() && socket->address.port() == address.port();
      }))) {
    return {};
  }
  return bind_to(address, false).map([](const Fd&) {});
}

Result<std::vector<ListeningSocket*>> ListeningSockets::open(std::uint16_t listener,
                                                             const SocketAddress& address,
                                                             std::uint64_t spelling,
                                                             unsigned threads) {
  const auto there = at(listener, address);
  if (there.empty()) {
    if (auto alone = claim(address); !alone) {
      return tl::unexpected(alone.error());
    }
  }
  const ListeningSocket* first = there.empty() ? nullptr : there.front();
  std::vector<ListeningSocket*> made;
  for (auto thread = there.size(); thread < threads; ++thread) {
    auto socket = make(listener, static_cast<std::uint16_t>(thread), address, first);
    if (!socket) {
      for (auto* mine : made) {
        ::close(mine->fd);
        forget(*mine);
      }
      return tl::unexpected(socket.error());
    }
    (*socket)->spelling = spelling;
    made.push_back(*socket);
    first = first == nullptr ? *socket : first;
  }
  return made;
}

Result<ListeningSocket*> ListeningSockets::make(std::uint16_t listener, std::uint16_t thread,
                                                const SocketAddress& address,
                                                const ListeningSocket* first) {
  auto* entry = free_entry();
  if (entry == nullptr) {
    return fail("there are more than " + std::to_string(state::kMaxListeningSockets) +
                " listening sockets");
  }
  auto socket = make_bound(address, first);
  if (!socket) {
    return tl::unexpected(socket.error());
  }
  HOLDFAST_FAULT_POINT(listening_bound);
  *entry = ListeningSocket{};
  entry->asked = address;
  entry->address = SocketAddress::local(socket->get()).value_or(address);
  entry->listener = listener;
  entry->thread = thread;
  entry->fd = socket->get();
  note_file(*entry);
  entry->publish();
  HOLDFAST_FAULT_POINT(listening_recorded);
  if (auto listening = start_listening(*socket, entry->address); !listening) {
    entry->forget();
    return tl::unexpected(listening.error());
  }
  HOLDFAST_FAULT_POINT(listening_listens);
  static_cast<void>(socket->release());
  return entry;
}

std::vector<ListeningSocket*> ListeningSockets::all() const {
  std::vector<ListeningSocket*> found;
  for (auto& socket : state::first_touched(shared_.sockets, shared_.sockets_touched)) {
    if (socket.is_used()) {
      found.push_back(&socket);
    }
  }
  return found;
}

// Port 0 asked for by two listeners is two ports. A Unix socket that retires has lost its path.
std::vector<ListeningSocket*> ListeningSockets::at(std::uint16_t listener,
                                                   const SocketAddress& asked) const {
  auto found = all();
  std::erase_if(found, [&](const auto* socket) {
    return socket->asked != asked || (asked.is_unix() && socket->is_retiring()) ||
           (!asked.is_unix() && asked.port() == 0 && socket->listener != listener);
  });
  return found;
}

ListeningSocket* ListeningSockets::free_entry() {
  const auto touched = shared_.sockets_touched.get();
  for (std::size_t index = 0; index < touched; ++index) {
    if (!shared_.sockets[index].is_used()) {
      return &shared_.sockets[index];
    }
  }
  if (touched == shared_.sockets.size()) {
    return nullptr;
  }
  shared_.sockets_touched.set(touched + 1);
  return &shared_.sockets[touched];
}

void ListeningSockets::retire(ListeningSocket& socket) {
  socket.retire();
  remove_file(socket);
  refuse_new_clients(socket.fd);
}

void ListeningSockets::readmit(ListeningSocket& socket) {
  if (socket.is_retiring()) {
    admit_new_clients(socket.fd);
    socket.publish();
  }
}

void ListeningSockets::verify() {
  for (auto* socket : all()) {
    const auto own = SocketAddress::local(socket->fd);
    // On a socket that listens already, listen(2) does nothing.
    if (!own || !(*own == socket->address) || SocketAddress::peer(socket->fd) ||
        ::listen(socket->fd, kAcceptBacklog) != 0) {
      socket->forget();
    }
  }
}

void ListeningSockets::forget(ListeningSocket& socket) {
  socket.forget();
  if (socket.address.is_unix() && at(socket.listener, socket.asked).empty()) {
    remove_file(socket);
  }
}

}  // namespace holdfast::worker
