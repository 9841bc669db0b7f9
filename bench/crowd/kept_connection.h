#pragma once

#include <optional>
#include <string>

#include "holdfast/base/clock.h"
#include "holdfast/base/fd.h"
#include "holdfast/base/socket_address.h"
#include "holdfast/loop/poll.h"

namespace holdfast::bench {

// A connection that is kept, over which small exchanges go, one at a time. Every byte that comes is
// compared with the one that must come. On the loop's thread; its owner owns it.
class KeptConnection final : private loop::Poll::Handler {
 public:
  class Owner {
   public:
    // The whole answer is there. The owner may ask again.
    virtual void answered(KeptConnection& connection) = 0;
    // It is closed; asking opens it anew, but not from in here, since opening can fail at once too.
    virtual void lost(KeptConnection& connection, const std::string& reason) = 0;

   protected:
    ~Owner() = default;
  };

  // Not open yet. `number` is the owner's, for telling them apart.
  KeptConnection(loop::Loop& loop, SocketAddress target, std::size_t number, Owner& owner);

  // Opens it if it isn't. Asked once at a time.
  void ask(std::string_view target);
  // What is waited for will not come.
  void give_up(const std::string& reason);
  void close();

  [[nodiscard]] std::size_t number() const { return number_; }
  [[nodiscard]] bool is_open() const { return socket_.is_open(); }
  [[nodiscard]] bool is_waiting() const { return !expected_.empty(); }
  // Whether it has been through to a backend: it had an answer since it was opened. Still says so
  // within lost().
  [[nodiscard]] bool is_established() const { return established_; }
  [[nodiscard]] TimePoint asked() const { return asked_; }
  // Of all the times it was opened.
  [[nodiscard]] std::uint64_t times_established() const { return times_established_; }
  [[nodiscard]] std::uint64_t wrong_bytes() const { return wrong_bytes_; }

 private:
  void on_ready(loop::Poll& poll, loop::Readiness ready) override;
  void open();
  // False when the connection is lost.
  [[nodiscard]] bool finish_opening();
  [[nodiscard]] bool send_rest();
  void receive();
  void compare(std::string_view bytes);

  loop::Loop& loop_;
  SocketAddress target_;
  std::size_t number_;
  Owner& owner_;
  Fd socket_;
  std::optional<loop::Poll> poll_;
  bool connecting_ = false;
  bool established_ = false;
  std::string unsent_;
  std::string expected_;  // empty when nothing is
  std::size_t received_ = 0;
  TimePoint asked_;
  std::uint64_t times_established_ = 0;
  std::uint64_t wrong_bytes_ = 0;
};

}  // namespace holdfast::bench
