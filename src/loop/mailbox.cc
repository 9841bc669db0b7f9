#include "holdfast/loop/mailbox.h"

#include <cassert>

namespace holdfast::loop {

Mailbox::Mailbox(Loop& loop) : handle_(new uv_async_t) {
  loop.assert_on_thread();
  const int error = uv_async_init(loop.raw(), handle_.get(), [](uv_async_t* handle) {
    static_cast<Mailbox*>(handle->data)->deliver();
  });
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

void Mailbox::deliver() {
  std::vector<std::function<void()>> arrived;
  {
    const std::lock_guard lock(mutex_);
    arrived.swap(messages_);
  }
  for (const auto& message : arrived) {
    message();
  }
}

}  // namespace holdfast::loop
