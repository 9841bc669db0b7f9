#include "relay/backend_closing.h"

namespace holdfast::relay {
namespace {

// splitmix64 (Steele, Lea, Flood: Fast splittable pseudorandom number generators, 2014).
std::uint64_t mixed(std::uint64_t value) {
  value += 0x9e37'79b9'7f4a'7c15;
  value = (value ^ (value >> 30)) * 0xbf58'476d'1ce4'e5b9;
  value = (value ^ (value >> 27)) * 0x94d0'49bb'1331'11eb;
  return value ^ (value >> 31);
}

}  // namespace

bool is_due(const state::ConnectionRecord& record, const BackendClosing& closing) {
  constexpr double kRange = 9007199254740992.0;  // 2^53, which a double holds exactly
  const auto place = static_cast<double>(mixed(record.id ^ mixed(closing.seed)) >> 11) / kRange;
  return place < closing.share;
}

}  // namespace holdfast::relay
