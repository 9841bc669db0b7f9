#pragma once

#include <map>
#include <memory>

#include "holdfast/loop/timer.h"

namespace holdfast::relay {

class DeadlineList;

// Something that waits, and is told when it waited too long. It sits in at most one list.
class Waiter {
 public:
  Waiter() = default;
  Waiter(const Waiter&) = delete;
  Waiter& operator=(const Waiter&) = delete;

  // The waiter has left its list; it may be destroyed here.
  virtual void on_deadline() = 0;

 protected:
  virtual ~Waiter();

 private:
  friend class DeadlineList;
  DeadlineList* list_ = nullptr;
  Waiter* previous_ = nullptr;
  Waiter* next_ = nullptr;
  TimePoint due_{};
};

// Everybody who waits for the same span of time, so that the list is ordered by who came last:
// touching is O(1), and one timer serves all. Lives on its loop's thread.
class DeadlineList {
 public:
  DeadlineList(loop::Loop& loop, Duration timeout);
  ~DeadlineList();

  // The waiter's time begins now, in this list, wherever it was before.
  void touch(Waiter& waiter) { touch(waiter, loop_.now()); }

  // Its time began then, which is not before anybody else's in the list: so the connections of a
  // dead worker go on waiting. A moment that can't be is taken for the nearest that can.
  void touch(Waiter& waiter, TimePoint since);
  static void leave(Waiter& waiter);

 private:
  void expire();
  void unlink(Waiter& waiter);

  loop::Loop& loop_;
  Duration timeout_;
  Waiter* first_ = nullptr;  // due next
  Waiter* last_ = nullptr;
  loop::Timer timer_;
};

// The lists of one relay thread, made when a timeout is first asked for.
class Deadlines {
 public:
  explicit Deadlines(loop::Loop& loop) : loop_(loop) {}
  [[nodiscard]] DeadlineList& list(Duration timeout);

 private:
  loop::Loop& loop_;
  std::map<Duration, std::unique_ptr<DeadlineList>> lists_;
};

}  // namespace holdfast::relay
