#pragma once

#include <uv.h>

#include <functional>
#include <memory>
#include <mutex>
#include <vector>

#include "holdfast/loop/loop.h"

namespace holdfast::loop {

// The way onto a loop's thread from any other: messages are run there in the order they came.
// Destroyed on the loop's thread, in a message if need be; nobody may post by then. Messages not
// yet run are dropped.
class Mailbox {
 public:
  explicit Mailbox(Loop& loop);
  Mailbox(Mailbox&&) = delete;

  // From any thread.
  void post(std::function<void()> message);

 private:
  // Takes the handle, since a message may destroy the mailbox.
  static void deliver(uv_async_t& handle);

  std::unique_ptr<uv_async_t, detail::CloseHandle> handle_;
  std::mutex mutex_;
  std::vector<std::function<void()>> messages_;  // guarded by mutex_
};

}  // namespace holdfast::loop
