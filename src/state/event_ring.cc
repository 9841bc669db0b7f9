#include "holdfast/state/event_ring.h"

#include <algorithm>
#include <atomic>
#include <bit>
#include <chrono>
#include <cstdlib>
#include <cstring>

namespace holdfast::state {
namespace {

using Word = std::atomic_ref<std::uint64_t>;

// Each word is stored with release and loaded with acquire, so that a reader who met a word of a
// new entry also meets the new number. Fences would do as well; ThreadSanitizer knows none.
void store(std::uint64_t& word, std::uint64_t value) {
  Word(word).store(value, std::memory_order_release);
}

// atomic_ref<const T> is C++26; reading through it writes nothing.
std::uint64_t load(const std::uint64_t& word) {
  return Word(const_cast<std::uint64_t&>(word)).load(std::memory_order_acquire);
}

std::int64_t milliseconds_since_1970() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

// A line end is what separates fields.
char without_line_end(char letter) {
  return letter == '\n' ? ' ' : letter;
}

}  // namespace

std::string_view to_string(EventKind kind) {
  switch (kind) {
    case EventKind::started:
      return "started";
    case EventKind::worker_died:
      return "worker_died";
    case EventKind::worker_hung:
      return "worker_hung";
    case EventKind::worker_recovered:
      return "worker_recovered";
    case EventKind::connection_quarantined:
      return "connection_quarantined";
    case EventKind::guardian_replaced:
      return "guardian_replaced";
    case EventKind::reloaded:
      return "reloaded";
    case EventKind::reload_failed:
      return "reload_failed";
    case EventKind::upgraded:
      return "upgraded";
    case EventKind::upgrade_refused:
      return "upgrade_refused";
    case EventKind::upgrade_rolled_back:
      return "upgrade_rolled_back";
    case EventKind::backend_up:
      return "backend_up";
    case EventKind::backend_down:
      return "backend_down";
    case EventKind::agent_changed:
      return "agent_changed";
    case EventKind::stopping:
      return "stopping";
    case EventKind::backend_ejected:
      return "backend_ejected";
    case EventKind::backend_readmitted:
      return "backend_readmitted";
    case EventKind::backend_ready:
      return "backend_ready";
    case EventKind::backend_drain:
      return "backend_drain";
    case EventKind::backend_maint:
      return "backend_maint";
    case EventKind::backend_weight:
      return "backend_weight";
    case EventKind::backend_added:
      return "backend_added";
    case EventKind::backend_removed:
      return "backend_removed";
    case EventKind::backend_drained:
      return "backend_drained";
  }
  std::abort();
}

void EventRing::write(EventKind kind, std::initializer_list<EventField> fields) {
  Content content{.at = milliseconds_since_1970(), .kind = static_cast<std::uint32_t>(kind)};
  auto* end = content.text.data();
  const auto* limit = end + content.text.size();
  for (const auto& field : fields) {
    const auto room = static_cast<std::size_t>(limit - end);
    const auto around = field.key().size() + std::strlen("=\n");
    // The beginning of a reason tells something; that of a number would tell a lie.
    if (around >= room || (field.is_number() && around + field.value().size() > room)) {
      break;
    }
    end = std::ranges::copy(field.key(), end).out;
    *end++ = '=';
    end = std::ranges::transform(field.value().substr(0, room - around), end, without_line_end).out;
    *end++ = '\n';
  }
  content.size = static_cast<std::uint32_t>(end - content.text.data());

  const auto words = std::bit_cast<Words>(content);
  const auto number = Word(last_).fetch_add(1, std::memory_order_relaxed) + 1;
  auto& entry = entries_[number % kCapacity];
  store(entry.number, 0);
  store(entry.checksum, checksum_of(number, words));
  for (std::size_t i = 0; i < words.size(); ++i) {
    store(entry.words[i], words[i]);
  }
  store(entry.number, number);
}

std::vector<Event> EventRing::read() const {
  std::vector<Event> events;
  for (std::size_t place = 0; place < kCapacity; ++place) {
    const auto& entry = entries_[place];
    const auto number = load(entry.number);
    if (number == 0 || number % kCapacity != place) {
      continue;
    }
    const auto checksum = load(entry.checksum);
    Words words{};
    std::ranges::transform(entry.words, words.begin(), load);
    if (load(entry.number) != number || checksum != checksum_of(number, words)) {
      continue;
    }
    const auto content = std::bit_cast<Content>(words);
    if (content.kind >= kEventKinds || content.size > content.text.size()) {
      continue;
    }
    events.push_back({.number = number,
                      .at = content.at,
                      .kind = static_cast<EventKind>(content.kind),
                      .text = std::string(content.text.data(), content.size)});
  }
  std::ranges::sort(events, {}, &Event::number);
  return events;
}

// FNV-1a, by words (draft-eastlake-fnv).
std::uint64_t EventRing::checksum_of(std::uint64_t number, const Words& words) {
  constexpr std::uint64_t kBasis = 0xcbf2'9ce4'8422'2325;
  constexpr std::uint64_t kPrime = 0x0000'0100'0000'01b3;
  std::uint64_t sum = (kBasis ^ number) * kPrime;
  for (const auto word : words) {
    sum = (sum ^ word) * kPrime;
  }
  return sum;
}

}  // namespace holdfast::state
