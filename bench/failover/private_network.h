#pragma once

#include <memory>

#include "holdfast/base/fd.h"
#include "holdfast/base/result.h"

namespace holdfast::bench {

// A network of our own, which has nothing but loopback at first: what this thread makes from here
// on is in it, as are the threads and processes that it starts. The kernel takes it away with the
// last of them, however we end. Root only. One thread's own.
class PrivateNetwork {
 public:
  [[nodiscard]] static Result<std::unique_ptr<PrivateNetwork>> enter();
  // Back to where the thread was.
  ~PrivateNetwork();
  PrivateNetwork(PrivateNetwork&&) = delete;

 private:
  explicit PrivateNetwork(Fd before) : before_(std::move(before)) {}

  Fd before_;
};

// The network that this thread is in (namespaces(7)).
[[nodiscard]] Fd open_own_network();

}  // namespace holdfast::bench
