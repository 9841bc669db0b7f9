#include "admin/slots.h"

#include <gtest/gtest.h>
#include <sys/socket.h>

#include <array>
#include <vector>

#include "holdfast/base/fd.h"

namespace holdfast::admin {
namespace {

// A client's socket, seen from both ends.
struct Client {
  Client() {
    std::array<int, 2> ends{};
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends.data()), 0);
    server = Fd(ends[0]);
    client = Fd(ends[1]);
  }
  [[nodiscard]] bool is_shut_down() const {
    char byte = 0;
    return ::recv(client.get(), &byte, 1, 0) == 0;
  }

  Fd server;
  Fd client;
};

TEST(Slots, leave_everybody_alone_up_to_the_limit) {
  const std::array<Client, 2> clients;
  Slots slots(2);
  for (const auto& client : clients) {
    slots.enter(client.server.get());
  }

  EXPECT_FALSE(clients[0].is_shut_down());
  EXPECT_FALSE(clients[1].is_shut_down());
}

TEST(Slots, shut_down_who_waited_longest) {
  const std::array<Client, 4> clients;
  Slots slots(2);
  for (const auto& client : clients) {
    slots.enter(client.server.get());
  }

  EXPECT_TRUE(clients[0].is_shut_down());
  EXPECT_TRUE(clients[1].is_shut_down());
  EXPECT_FALSE(clients[2].is_shut_down());
  EXPECT_FALSE(clients[3].is_shut_down());
  EXPECT_EQ(slots.size(), 2U);
}

TEST(Slots, spare_who_finished_a_request_meanwhile) {
  const std::array<Client, 3> clients;
  Slots slots(2);
  slots.enter(clients[0].server.get());
  slots.enter(clients[1].server.get());
  slots.renew(clients[0].server.get());
  slots.enter(clients[2].server.get());

  EXPECT_FALSE(clients[0].is_shut_down());
  EXPECT_TRUE(clients[1].is_shut_down());
}

TEST(Slots, count_nobody_who_has_left) {
  const std::array<Client, 3> clients;
  Slots slots(2);
  slots.enter(clients[0].server.get());
  slots.enter(clients[1].server.get());
  slots.leave(clients[1].server.get());
  slots.enter(clients[2].server.get());

  EXPECT_FALSE(clients[0].is_shut_down());
  EXPECT_EQ(slots.size(), 2U);
}

TEST(Slots, forget_whom_they_shut_down) {
  const std::array<Client, 2> clients;
  Slots slots(1);
  slots.enter(clients[0].server.get());
  slots.enter(clients[1].server.get());
  slots.renew(clients[0].server.get());  // its last request finishes after all
  slots.leave(clients[0].server.get());

  EXPECT_EQ(slots.size(), 1U);
  EXPECT_FALSE(clients[1].is_shut_down());
}

}  // namespace
}  // namespace holdfast::admin
