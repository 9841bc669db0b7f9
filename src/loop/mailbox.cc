#include "holdfast/loop/mailbox.h"

#include <cassert>

namespace holdfast::loop {

Mailbox::Mailbox(Loop& loop) : handle_(new uv_async_t) {
  loop.assert_on_thread();
  const int error =
      uv_async_init(loop.raw(), handle_.get(), [](uv_async_t* handle) { deliver(*handle); });
  assert(error == 0);
  static_cast<void>(error);
  handle_->data = this;
}

void Mailbox::post(std::function<void()> message) {
  {
    const std::lock_guard lock(mutex_);
    messages_.push_back(std::move(message));
  }
  uv_async_send(handle_.get());
}

void Mailbox::deliver(uv_async_t& handle) {
  std::vector<std::function<void()>> arrived;
  {
    auto& mailbox = *static_cast<Mailbox*>(handle.data);
    const std::lock_guard lock(mailbox.mutex_);
    arrived.swap(mailbox.messages_);
  }
  for (const auto& message : arrived) {
    message();
    // The handle is there until its close callback, in a later part of the turn.
    if (uv_is_closing(reinterpret_cast<const uv_handle_t*>(&handle)) != 0) {
      return;
    }
  }
}

}  // namespace holdfast::loop
