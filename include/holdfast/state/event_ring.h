#pragma once

#include <array>
#include <charconv>
#include <concepts>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

namespace holdfast::state {

// What happens to the balancer itself and to its backends, worth telling a person.
enum class EventKind : std::uint8_t {
  started,
  worker_died,
  worker_hung,
  worker_recovered,
  connection_quarantined,
  guardian_replaced,
  reloaded,
  reload_failed,
  upgraded,
  upgrade_refused,
  upgrade_rolled_back,
  backend_up,
  backend_down,
  agent_changed,
  stopping,
  backend_ejected,
  backend_readmitted,
  backend_ready,
  backend_drain,
  backend_maint,
  backend_weight,
  backend_added,
  backend_removed,
  backend_drained,
};
inline constexpr std::size_t kEventKinds = 24;

[[nodiscard]] std::string_view to_string(EventKind kind);

// One key=value of an event. Allocates nothing; borrows text, holds the digits of a number itself.
class EventField {
 public:
  EventField(std::string_view key, std::string_view text) : key_(key), text_(text) {}
  template <std::integral Integer>
  EventField(std::string_view key, Integer number) : key_(key) {
    const auto end = std::to_chars(digits_.data(), digits_.data() + digits_.size(), number).ptr;
    digit_count_ = static_cast<std::size_t>(end - digits_.data());
  }

  [[nodiscard]] std::string_view key() const { return key_; }
  [[nodiscard]] bool is_number() const { return digit_count_ > 0; }
  [[nodiscard]] std::string_view value() const {
    return digit_count_ > 0 ? std::string_view(digits_.data(), digit_count_) : text_;
  }

 private:
  std::string_view key_;
  std::string_view text_;
  std::array<char, 20> digits_{};  // of the longest number: -2^63, 2^64 - 1
  std::size_t digit_count_ = 0;
};

// An event as it was read. `text` has a line for each field, key=value.
struct Event {
  std::uint64_t number = 0;  // from 1, in the order in which writers came
  std::int64_t at = 0;       // milliseconds since 1970
  EventKind kind = EventKind::started;
  std::string text;
};

// The last events, in shared memory, where they outlive whoever wrote them. Any thread of guardian
// and worker writes, without a lock, an allocation or a wait; any process that maps it reads.
// Zeroes are an empty ring.
//
// A writer claims a number, which is its place, writes, and publishes the number last. A reader
// leaves out what is being written meanwhile, and what a writer that died there left half done: the
// number tells, and where two writers were a whole round apart and met in one place, a checksum.
class EventRing {
 public:
  static constexpr std::size_t kCapacity = 512;
  static constexpr std::size_t kTextSize = 224;  // bytes; a text that doesn't fit is cut

  void write(EventKind kind, std::initializer_list<EventField> fields);

  // What there is, oldest first. What a broken worker may have written over it is left out.
  [[nodiscard]] std::vector<Event> read() const;

 private:
  struct Content {
    std::int64_t at = 0;
    std::uint32_t kind = 0;
    std::uint32_t size = 0;  // of the text
    std::array<char, kTextSize> text{};
  };
  using Words = std::array<std::uint64_t, sizeof(Content) / sizeof(std::uint64_t)>;
  struct Entry {
    std::uint64_t number = 0;  // 0: nothing, or being written
    std::uint64_t checksum = 0;
    Words words{};
  };

  [[nodiscard]] static std::uint64_t checksum_of(std::uint64_t number, const Words& words);

  std::uint64_t last_ = 0;  // number that was claimed
  std::array<Entry, kCapacity> entries_{};
};
static_assert(std::is_trivially_copyable_v<EventRing>);

}  // namespace holdfast::state
