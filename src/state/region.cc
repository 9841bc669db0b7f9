#include "holdfast/state/region.h"

#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cassert>
#include <cerrno>
#include <utility>

namespace holdfast::state {

Result<Region> Region::create(unsigned connections_per_thread) {
  const std::size_t size = sizeof(SharedState) + sizeof(ConnectionRecord) * kMaxThreads *
                                                     std::size_t{connections_per_thread};
  Fd memory(::memfd_create("holdfast-state", MFD_CLOEXEC));
  if (!memory.is_open()) {
    return fail("cannot make shared memory", errno);
  }
  if (::ftruncate(memory.get(), static_cast<off_t>(size)) != 0) {
    return fail("cannot size shared memory", errno);
  }
  auto region = map(std::move(memory), size);
  if (region) {
    // All else is zeroes, which is what a fresh region starts as; records name no descriptor, so
    // they can't be 0, and are therefore initialised when they are first taken (ConnectionTable).
    region->shared().header = make_header(size, connections_per_thread);
    region->shared().supervision.fatal_thread.set(kNoThread);
  }
  return region;
}

Result<Region> Region::adopt(Fd memory) {
  struct stat file {};
  if (::fstat(memory.get(), &file) != 0) {
    return fail("cannot look at the shared memory", errno);
  }
  const auto size = static_cast<std::size_t>(file.st_size);
  Header header;
  if (::pread(memory.get(), &header, sizeof header, 0) != ssize_t{sizeof header}) {
    return fail("this is not holdfast's shared memory");
  }
  if (auto understood = check_header(header, size); !understood) {
    return tl::unexpected(understood.error());
  }
  return map(std::move(memory), size);
}

Result<Region> Region::map(Fd memory, std::size_t size) {
  void* address =
      ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE, memory.get(), 0);
  if (address == MAP_FAILED) {
    return fail("cannot map shared memory", errno);
  }
  return Region(std::move(memory), address, size);
}

Region::Region(Fd memory, void* address, std::size_t size)
    : memory_(std::move(memory)), shared_(static_cast<SharedState*>(address)), size_(size) {}

Region::Region(Region&& other) noexcept
    : memory_(std::move(other.memory_)),
      shared_(std::exchange(other.shared_, nullptr)),
      size_(other.size_) {}

Region::~Region() {
  if (shared_ != nullptr) {
    ::munmap(shared_, size_);
  }
}

std::span<ConnectionRecord> Region::records(unsigned thread) const {
  assert(thread < kMaxThreads);
  const std::size_t each = shared_->header.connections_per_thread;
  auto* first =
      reinterpret_cast<ConnectionRecord*>(reinterpret_cast<char*>(shared_) + sizeof(SharedState));
  return {first + thread * each, each};
}

}  // namespace holdfast::state
