#include "holdfast/loop/poll.h"

#include <cassert>

namespace holdfast::loop {

Poll::Poll(Loop& loop, int fd, Handler& handler) : handler_(&handler) {
  loop.assert_on_thread();
  auto fresh = std::make_unique<uv_poll_t>();
  const int error = uv_poll_init(loop.raw(), fresh.get(), fd);
  // It fails for what isn't a socket or pipe, or is polled already: a bug of ours.
  assert(error == 0 && "descriptor cannot be polled");
  static_cast<void>(error);
  handle_.reset(fresh.release());
  handle_->data = this;
}

void Poll::want(bool readable, bool writable) {
  ask((readable ? UV_READABLE : 0) | (writable ? UV_WRITABLE : 0));
}

void Poll::want_end() {
  ask(UV_DISCONNECT);
}

// libuv polls for nothing unless something is asked for.
void Poll::want_hangup() {
  ask(UV_PRIORITIZED);
}

void Poll::ask(int events) {
  if (events == asked_) {
    return;
  }
  asked_ = events;
  if (events == 0) {
    uv_poll_stop(handle_.get());
    return;
  }
  uv_poll_start(handle_.get(), events, [](uv_poll_t* handle, int status, int ready) {
    auto* self = static_cast<Poll*>(handle->data);
    if (status < 0) {
      self->asked_ = 0;  // libuv stopped the poll before calling
    }
    self->handler_->on_ready(
        *self, Readiness{(ready & UV_READABLE) != 0, (ready & UV_WRITABLE) != 0, status < 0});
  });
}

}  // namespace holdfast::loop
