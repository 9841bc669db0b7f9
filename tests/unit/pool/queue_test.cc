#include "holdfast/pool/queue.h"

#include <gtest/gtest.h>

#include <string>

namespace holdfast::pool {
namespace {

struct Client final : Ticket {
  explicit Client(std::int64_t arrived_at, char its_name = '?')
      : Ticket(arrived_at, {}, 0), name(its_name) {}
  void on_turn(std::uint16_t, const SocketAddress&) override {}

  char name;
};

std::string order_of(const Queue& queue) {
  std::string order;
  for (auto* ticket = queue.first(); ticket != nullptr; ticket = ticket->next()) {
    order += static_cast<Client*>(ticket)->name;
  }
  return order;
}

TEST(Queue, keeps_its_clients_in_the_order_they_arrived) {
  Client a(10, 'a');
  Client b(20, 'b');
  Client c(30, 'c');
  Queue queue;
  queue.insert(b);
  queue.insert(c);
  queue.insert(a);
  EXPECT_EQ(order_of(queue), "abc");
  EXPECT_EQ(queue.size(), 3U);
}

TEST(Queue, puts_whoever_arrived_at_the_same_moment_in_the_order_they_were_put_in) {
  Client a(10, 'a');
  Client b(10, 'b');
  Queue queue;
  queue.insert(a);
  queue.insert(b);
  EXPECT_EQ(order_of(queue), "ab");
}

TEST(Queue, closes_the_gap_of_whoever_leaves) {
  Client a(10, 'a');
  Client b(20, 'b');
  Client c(30, 'c');
  Queue queue;
  for (auto* client : {&a, &b, &c}) {
    queue.insert(*client);
  }
  EXPECT_TRUE(queue.remove(b));
  EXPECT_EQ(order_of(queue), "ac");
  EXPECT_TRUE(queue.remove(a));
  EXPECT_TRUE(queue.remove(c));
  EXPECT_EQ(queue.first(), nullptr);
  EXPECT_EQ(queue.size(), 0U);
}

TEST(Queue, knows_who_is_not_in_it) {
  Client a(10);
  Queue queue;
  EXPECT_FALSE(queue.remove(a));
  queue.insert(a);
  EXPECT_TRUE(queue.remove(a));
  EXPECT_FALSE(queue.remove(a));
}

TEST(Queue, takes_back_who_left) {
  Client a(10, 'a');
  Client b(20, 'b');
  Queue queue;
  queue.insert(a);
  queue.insert(b);
  static_cast<void>(queue.remove(a));
  queue.insert(a);
  EXPECT_EQ(order_of(queue), "ab");
}

}  // namespace
}  // namespace holdfast::pool
