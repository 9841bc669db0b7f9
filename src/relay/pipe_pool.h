#pragma once

#include <cstddef>
#include <vector>

#include "holdfast/base/fd.h"

namespace holdfast::relay {

inline constexpr std::size_t kLargePipe = 1 << 20;
inline constexpr std::size_t kRoomyPipe = 256 << 10;  // four times as many pieces as usual

// Both ends of a pipe. A pipe that holds bytes belongs to the connection whose bytes they are.
struct Pipe {
  int read = -1;
  int write = -1;

  [[nodiscard]] bool is_open() const { return read >= 0; }
};

// One relay thread's pipes, lent while bytes are in them: an idle connection has none. A few are
// large, for bulk flows: ten times fewer system calls a gigabyte. Others are roomy as long as they
// are lent: a pipe has a number of slots, and a piece of a few bytes takes one.
class PipePool {
 public:
  // At most `limit` pipes exist at a time: they come out of the descriptor budget (scar 4).
  // `large_limit` of them may be large, `roomy_limit` roomy: they come out of the user's page quota
  // (scar 2).
  PipePool(std::size_t limit, std::size_t large_limit, std::size_t roomy_limit = 0)
      : limit_(limit), large_limit_(large_limit), roomy_limit_(roomy_limit) {}
  ~PipePool();
  // From now on; what is lent or idle already stays.
  void set_limits(std::size_t limit, std::size_t large_limit, std::size_t roomy_limit) {
    limit_ = limit;
    large_limit_ = large_limit;
    roomy_limit_ = roomy_limit;
  }
  PipePool(const PipePool&) = delete;
  PipePool& operator=(const PipePool&) = delete;

  // A pipe that a connection of an earlier worker has borrowed is this pool's from now on.
  void adopt(Pipe pipe);

  // An empty pipe; a closed one when there is none to be had, be it the limit, EMFILE, ENFILE or
  // the user's page quota (scars 2, 3): the caller copies instead. `large` is a wish.
  [[nodiscard]] Pipe borrow(bool large);

  // One with more slots than usual; a closed one when there is none to be had. `leaves_half`: only
  // if half of them are left for others then.
  [[nodiscard]] Pipe borrow_roomy(bool leaves_half);

  // The pipe must be empty.
  void give_back(Pipe pipe);

  // The pipe may have bytes in it that nobody will read: they are dropped.
  void reclaim(Pipe pipe);

  // For a pipe with bytes in it that nobody will read: it is closed, never lent again (scar 5).
  void discard(Pipe pipe);

  [[nodiscard]] std::size_t open_pipes() const { return open_; }
  [[nodiscard]] std::size_t lent_pipes() const { return open_ - idle_.size() - idle_large_.size(); }

 private:
  [[nodiscard]] Pipe make(bool large);
  [[nodiscard]] bool is_large(Pipe pipe) const;
  [[nodiscard]] static bool resize(Pipe pipe, std::size_t size);
  void close(Pipe pipe);

  std::size_t limit_;
  std::size_t large_limit_;
  std::size_t roomy_limit_;
  std::size_t open_ = 0;
  std::vector<Pipe> idle_;
  std::vector<Pipe> idle_large_;
  std::vector<int> large_;  // read ends of the large ones
  std::vector<int> roomy_;  // of the roomy ones, all of which are lent
  Fd nowhere_;              // where dropped bytes go: /dev/null, once it was needed
};

}  // namespace holdfast::relay
