#include "relay/pipe_pool.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cassert>
#include <cerrno>

#include "holdfast/base/fault.h"

namespace holdfast::relay {
namespace {

constexpr std::size_t kMaxIdlePipes = 64;
constexpr std::size_t kUsualPipe = 64 << 10;  // pipe(7)

}  // namespace

PipePool::~PipePool() {
  for (const auto& pipes : {idle_, idle_large_}) {
    for (const Pipe pipe : pipes) {
      close(pipe);
    }
  }
}

Pipe PipePool::borrow(bool large) {
  if (large && idle_large_.empty() && large_.size() < large_limit_ && open_ < limit_) {
    return make(true);
  }
  auto& preferred = large ? idle_large_ : idle_;
  auto& other = large ? idle_ : idle_large_;
  for (auto* idle : {&preferred, &other}) {
    if (!idle->empty()) {
      const Pipe pipe = idle->back();
      idle->pop_back();
      return pipe;
    }
  }
  return open_ < limit_ ? make(false) : Pipe{};
}

Pipe PipePool::make(bool large) {
  int ends[2];
  if (::pipe2(ends, O_NONBLOCK | O_CLOEXEC) != 0) {
    return {};
  }
  HOLDFAST_FAULT_POINT(pipes_made);
  ++open_;
  const Pipe pipe{ends[0], ends[1]};
  if (large) {
    if (resize(pipe, kLargePipe)) {
      HOLDFAST_FAULT_POINT(pipes_enlarged);
      large_.push_back(pipe.read);
    } else {
      large_limit_ = large_.size();  // asking again would make a pipe for nothing each time
    }
  }
  return pipe;
}

void PipePool::adopt(Pipe pipe) {
  ++open_;
  const int size = ::fcntl(pipe.read, F_GETPIPE_SZ);
  if (size >= static_cast<int>(kLargePipe)) {
    large_.push_back(pipe.read);
  } else if (size > static_cast<int>(kUsualPipe)) {
    roomy_.push_back(pipe.read);
  }
}

Pipe PipePool::borrow_roomy(bool leaves_half) {
  if (roomy_.size() >= (leaves_half ? roomy_limit_ / 2 : roomy_limit_)) {
    return {};
  }
  const Pipe pipe = borrow(false);
  if (!pipe.is_open() || is_large(pipe)) {
    return pipe;
  }
  if (!resize(pipe, kRoomyPipe)) {
    give_back(pipe);
    return {};
  }
  roomy_.push_back(pipe.read);
  return pipe;
}

bool PipePool::is_large(Pipe pipe) const {
  return std::ranges::find(large_, pipe.read) != large_.end();
}

bool PipePool::resize(Pipe pipe, std::size_t size) {
  return ::fcntl(pipe.write, F_SETPIPE_SZ, static_cast<int>(size)) > 0;
}

void PipePool::give_back(Pipe pipe) {
  assert(pipe.is_open());
  if (std::erase(roomy_, pipe.read) > 0 && !resize(pipe, kUsualPipe)) {
    close(pipe);
    return;
  }
  auto& idle = is_large(pipe) ? idle_large_ : idle_;
  if (idle.size() == kMaxIdlePipes) {
    close(pipe);
    return;
  }
  idle.push_back(pipe);
}

void PipePool::reclaim(Pipe pipe) {
  if (!nowhere_.is_open()) {
    nowhere_ = Fd(::open("/dev/null", O_WRONLY | O_CLOEXEC));
  }
  while (::splice(pipe.read, nullptr, nowhere_.get(), nullptr, kLargePipe, SPLICE_F_NONBLOCK) > 0) {
  }
  if (errno == EAGAIN) {
    give_back(pipe);
  } else {
    discard(pipe);
  }
}

void PipePool::discard(Pipe pipe) {
  close(pipe);
}

void PipePool::close(Pipe pipe) {
  std::erase(large_, pipe.read);
  std::erase(roomy_, pipe.read);
  ::close(pipe.read);
  HOLDFAST_FAULT_POINT(pipes_half_closed);
  ::close(pipe.write);
  --open_;
}

}  // namespace holdfast::relay
