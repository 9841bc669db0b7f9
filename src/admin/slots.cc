#include "admin/slots.h"

#include <sys/socket.h>

namespace holdfast::admin {

void Slots::enter(int socket) {
  sockets_.push_back(socket);
  if (sockets_.size() > most_) {
    // libmicrohttpd sees the end of the stream and closes; the number isn't free before that.
    ::shutdown(sockets_.front(), SHUT_RDWR);
    sockets_.erase(sockets_.begin());
  }
}

void Slots::renew(int socket) {
  if (std::erase(sockets_, socket) > 0) {
    sockets_.push_back(socket);
  }
}

void Slots::leave(int socket) {
  std::erase(sockets_, socket);
}

}  // namespace holdfast::admin
