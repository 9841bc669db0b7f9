#include "holdfast/state/header.h"

#include "holdfast/state/shared_state.h"

namespace holdfast::state {

Header make_header(std::uint64_t region_size, std::uint32_t connections_per_thread) {
  Header header;
  header.record_size = sizeof(ConnectionRecord);
  header.state_size = sizeof(SharedState);
  header.region_size = region_size;
  header.connections_per_thread = connections_per_thread;
  return header;
}

Result<void> check_header(const Header& header, std::uint64_t region_size) {
  if (region_size < sizeof(SharedState) || header.magic != kMagic) {
    return fail("this is not holdfast's shared memory");
  }
  if (header.layout_version != kLayoutVersion) {
    return fail("the running instance keeps its state in layout version " +
                std::to_string(header.layout_version) + ", this build in version " +
                std::to_string(kLayoutVersion));
  }
  const auto own = make_header(region_size, header.connections_per_thread);
  if (header.record_size != own.record_size || header.state_size != own.state_size ||
      header.region_size != region_size ||
      region_size < own.state_size + std::uint64_t{own.record_size} * kMaxThreads *
                                         header.connections_per_thread) {
    return fail("the running instance's shared memory has another size than layout version " +
                std::to_string(kLayoutVersion) + " has");
  }
  return {};
}

}  // namespace holdfast::state
