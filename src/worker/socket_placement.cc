#include "worker/socket_placement.h"

#include <algorithm>
#include <utility>

namespace holdfast::worker {

void SocketPlacement::place(const SocketPlace& place) {
  auto& socket = *place.socket;
  ListeningSockets::readmit(socket);
  socket.listener = place.listener;
  socket.thread = place.thread;
  apply(place.options, socket.fd);
  const int fd = socket.fd;
  const auto [holder, is_new] = holders_.try_emplace(fd, place.thread);
  const auto before = std::exchange(holder->second, place.thread);
  if (moving_.contains(fd)) {
    return;  // it gets to where it is to be by then
  }
  if (is_new || before == place.thread) {
    relays_[place.thread]->post(
        [listener = place.listener, fd](relay::Relay& its) { its.listen(listener, fd); });
  } else {
    moving_.insert(fd);
    relays_[before]->post([this, fd](relay::Relay& its) {
      static_cast<void>(its.release(fd).release());
      mailbox_.post([this, fd] { on_given_back(fd); });
    });
  }
}

void SocketPlacement::on_given_back(int socket) {
  moving_.erase(socket);
  const auto all = sockets_.all();
  const auto place =
      std::ranges::find_if(all, [socket](const auto* one) { return one->fd == socket; });
  if (place == all.end()) {
    const Fd closed(socket);  // it was given up meanwhile: the worker is stopping
    return;
  }
  relays_[holders_.at(socket)]->post(
      [listener = (*place)->listener, socket](relay::Relay& its) { its.listen(listener, socket); });
}

RelayThread& SocketPlacement::last_holder(const state::ListeningSocket& socket) {
  const auto [holder, is_new] =
      holders_.try_emplace(socket.fd, static_cast<std::uint16_t>(socket.thread % relays_.size()));
  auto& relay = *relays_[holder->second];
  if (is_new) {
    relay.post([listener = socket.listener, fd = socket.fd](relay::Relay& its) {
      its.listen(listener, fd);
    });
  }
  return relay;
}

}  // namespace holdfast::worker
