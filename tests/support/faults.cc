#include "support/faults.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

namespace holdfast::testing {

Faults faults;

namespace {

// The main thread is the test's own: its calls are spared.
bool is_spared() {
  return ::gettid() == ::getpid();
}

bool strikes(Fault& fault) {
  if (is_spared()) {
    return false;
  }
  ++fault.calls;
  int left = fault.remaining.load();
  while (left > 0 && !fault.remaining.compare_exchange_weak(left, left - 1)) {
  }
  if (left == 0) {
    return false;
  }
  errno = fault.code;
  return true;
}

}  // namespace
}  // namespace holdfast::testing

// The linker's --wrap sends the program's calls of NAME to __wrap_NAME, and __real_NAME is libc's.
extern "C" {

using holdfast::testing::faults;
using holdfast::testing::is_spared;
using holdfast::testing::strikes;

ssize_t __real_splice(int, off64_t*, int, off64_t*, size_t, unsigned);
int __real_pipe2(int*, int);
int __real_accept4(int, sockaddr*, socklen_t*, int);
int __real_connect(int, const sockaddr*, socklen_t);
int __real_getsockopt(int, int, int, void*, socklen_t*);

ssize_t __wrap_splice(int from, off64_t* from_offset, int to, off64_t* to_offset, size_t size,
                      unsigned flags) {
  return strikes(faults.splice) ? -1 : __real_splice(from, from_offset, to, to_offset, size, flags);
}

int __wrap_pipe2(int* ends, int flags) {
  return strikes(faults.pipe2) ? -1 : __real_pipe2(ends, flags);
}

int __wrap_accept4(int socket, sockaddr* address, socklen_t* size, int flags) {
  return strikes(faults.accept4) ? -1 : __real_accept4(socket, address, size, flags);
}

int __wrap_connect(int socket, const sockaddr* address, socklen_t size) {
  return strikes(faults.connect) ? -1 : __real_connect(socket, address, size);
}

int __wrap_getsockopt(int socket, int level, int name, void* value, socklen_t* size) {
  constexpr socklen_t kOldTcpInfo = 104;  // as in Linux 3.10
  if (level == IPPROTO_TCP && name == TCP_INFO && faults.short_tcp_info && !is_spared()) {
    *size = std::min(*size, kOldTcpInfo);
  }
  return __real_getsockopt(socket, level, name, value, size);
}
}
