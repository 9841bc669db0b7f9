#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "holdfast/base/socket_address.h"

namespace holdfast::pool {

class Queue;

// A client's place in a pool's queue. Its owner is on a relay thread; all that is here is guarded
// by the pool's mutex while it is in the queue, and so is the call that ends its wait.
class Ticket {
 public:
  // `arrived_at`: nanoseconds of the monotonic clock; the queue's order. `tried`: backends that
  // it isn't to have.
  Ticket(std::int64_t arrived_at, std::span<const std::uint16_t> tried, std::uint64_t client)
      : arrived_at_(arrived_at), tried_(tried.begin(), tried.end()), client_(client) {}
  Ticket(const Ticket&) = delete;
  Ticket& operator=(const Ticket&) = delete;

  // It is its turn: a backend, already counted as active, is its own. It has left the queue. Called
  // on any thread, with the pool locked: it may only pass the word on.
  virtual void on_turn(std::uint16_t backend, const SocketAddress& address) = 0;

  [[nodiscard]] std::span<const std::uint16_t> tried() const { return tried_; }
  [[nodiscard]] std::uint64_t client() const { return client_; }
  [[nodiscard]] Ticket* next() const { return next_; }

 protected:
  virtual ~Ticket() = default;

 private:
  friend class Queue;
  std::int64_t arrived_at_;
  std::vector<std::uint16_t> tried_;
  std::uint64_t client_;
  Ticket* previous_ = nullptr;
  Ticket* next_ = nullptr;
  bool is_in_ = false;
};

// Clients that wait for a place on a backend, in the order they arrived at the balancer, over all
// threads. It owns none of them. Guarded by its pool's mutex.
class Queue {
 public:
  void insert(Ticket& ticket);
  // False when it isn't in it.
  bool remove(Ticket& ticket);

  [[nodiscard]] Ticket* first() const { return first_; }
  [[nodiscard]] std::size_t size() const { return size_; }

 private:
  Ticket* first_ = nullptr;
  Ticket* last_ = nullptr;
  std::size_t size_ = 0;
};

}  // namespace holdfast::pool
