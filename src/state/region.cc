#include "holdfast/state/region.h"

#include <sys/mman.h>
#include <unistd.h>

#include <cassert>
#include <cerrno>
#include <utility>

namespace holdfast::state {

Result<Region> Region::create(unsigned threads, unsigned connections_per_thread) {
  assert(threads >= 1 && threads <= kMaxThreads);
  const std::size_t size = sizeof(SharedState) +
                           sizeof(ConnectionRecord) * threads * std::size_t{connections_per_thread};
  Fd memory(::memfd_create("holdfast-state", MFD_CLOEXEC));
  if (!memory.is_open()) {
    return fail("cannot make shared memory", errno);
  }
  if (::ftruncate(memory.get(), static_cast<off_t>(size)) != 0) {
    return fail("cannot size shared memory", errno);
  }
  void* address = ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED, memory.get(), 0);
  if (address == MAP_FAILED) {
    return fail("cannot map shared memory", errno);
  }
  Region region(std::move(memory), address, size, connections_per_thread);
  // All zeroes is what a fresh region starts as; records name no descriptor, so they can't be 0,
  // and are therefore initialised when they are first taken (ConnectionTable).
  region.shared().threads.set(threads);
  return region;
}

Region::Region(Fd memory, void* address, std::size_t size, unsigned connections_per_thread)
    : memory_(std::move(memory)),
      shared_(static_cast<SharedState*>(address)),
      size_(size),
      connections_per_thread_(connections_per_thread) {}

Region::Region(Region&& other) noexcept
    : memory_(std::move(other.memory_)),
      shared_(std::exchange(other.shared_, nullptr)),
      size_(other.size_),
      connections_per_thread_(other.connections_per_thread_) {}

Region::~Region() {
  if (shared_ != nullptr) {
    ::munmap(shared_, size_);
  }
}

std::span<ConnectionRecord> Region::records(unsigned thread) const {
  assert(thread < shared_->threads.get());
  auto* first =
      reinterpret_cast<ConnectionRecord*>(reinterpret_cast<char*>(shared_) + sizeof(SharedState));
  return {first + std::size_t{thread} * connections_per_thread_, connections_per_thread_};
}

}  // namespace holdfast::state
