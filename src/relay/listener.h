#pragma once

#include <optional>

#include "holdfast/base/fd.h"
#include "holdfast/loop/poll.h"
#include "holdfast/state/connection_table.h"
#include "relay/context.h"

namespace holdfast::relay {

// One listening socket of one relay thread. Accepts in bounded bursts and hands every client over.
class Listener final : public loop::Poll::Handler {
 public:
  class Owner {
   public:
    // A client, in a record that names its socket.
    virtual void on_client(const std::shared_ptr<const Service>& service,
                           state::ConnectionRecord& record) = 0;
    // Nothing can be accepted now, here or on the thread's other listeners: no record (`code` 0)
    // or none of what the kernel needs (`code` is the errno).
    virtual void on_shortage(const Service& service, int code) = 0;

   protected:
    ~Owner() = default;
  };

  Listener(Context& context, std::shared_ptr<const Service> service, Fd socket, Owner& owner);

  void set_service(std::shared_ptr<const Service> service) { service_ = std::move(service); }
  [[nodiscard]] std::uint16_t listener() const { return service_->listener; }

  void resume() { poll_->want(true, false); }
  void pause() { poll_->want(false, false); }

  // Takes what waits in the kernel's queue, which closing the socket would reset (scar 40). False
  // when something may still wait there, because nothing more can be accepted now.
  [[nodiscard]] bool drain_queue();

  [[nodiscard]] int fd() const { return socket_.get(); }
  // Gives the socket up, open.
  [[nodiscard]] Fd release();

 private:
  enum class Accepted : std::uint8_t { client, transient, nothing, shortage };

  void on_ready(loop::Poll& poll, loop::Readiness ready) override;
  [[nodiscard]] Accepted accept_one();

  std::shared_ptr<const Service> service_;
  state::ConnectionTable& table_;
  Fd socket_;
  Owner& owner_;
  std::optional<loop::Poll> poll_;  // none once the socket was given up
};

}  // namespace holdfast::relay
