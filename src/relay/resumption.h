#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "holdfast/loop/mailbox.h"
#include "holdfast/state/connection_record.h"

namespace holdfast::relay {

// The order in which the connections of a dead worker go on: those that somebody is most likely to
// be waiting for first, the rest a slice at a time between the loop's turns, so that who is busy
// doesn't wait for thousands that are idle. Owned by its Relay, on that relay's thread.
class Resumption {
 public:
  // Goes on with the connection of a record, unless that has ended meanwhile and the record is free
  // or another one's.
  using Resume = std::function<void(state::ConnectionRecord& record, std::uint64_t id)>;

  Resumption(loop::Mailbox& mailbox, Resume resume);

  // All records that are to go on, by active_at, the oldest first. Returns when those without a
  // backend, which others may have to wait behind, and the first slice of the others are through.
  void begin(std::vector<state::ConnectionRecord*> records);

  // Whoever is left, now.
  void finish();

 private:
  struct Left {
    state::ConnectionRecord* record;
    std::uint64_t id;
  };

  void resume_some(std::size_t count);
  void go_on();

  loop::Mailbox& mailbox_;
  Resume resume_;
  std::vector<Left> left_;  // whose turn it is next is last
};

}  // namespace holdfast::relay
