#pragma once

#include <array>
#include <cstdint>
#include <type_traits>

namespace holdfast::state {

inline constexpr std::uint16_t kNoBackend = 0xffff;
inline constexpr std::size_t kMaxAttempts = 8;  // as many as ConnectionRecord::failed has bits

enum class ConnectionState : std::uint8_t {
  free,        // nobody's
  accepting,   // about to accept: a client may or may not be there
  waiting,     // a client in its pool's queue, since active_at
  connecting,  // a client, and a backend on its way
  relaying,    // both ends are there
  closing,     // counts as free: whatever descriptors it names may be gone
};

// Which end was reset: the other one is told so when its bytes are out.
enum class ResetBy : std::uint8_t { nobody, client, backend };

// One direction of a connection, source to sink.
enum class FlowState : std::uint8_t {
  open,        // bytes may come
  source_eof,  // the source said FIN; bytes may still be held in the pipe
  shut,        // the FIN has been passed on
  aborted,     // a reset ended it: nothing more is delivered
};

// Whether what the client has sent could go to another backend still (relay/replay).
enum class ReplayState : std::uint8_t {
  untouched,  // nothing was taken from the client
  keeping,    // all that was taken from the client is in the keeping pipe as well
  over,       // nothing is kept, or not all
};

// The owner of both fields of a pair is the pipe pool; -1 when no pipe is borrowed.
struct FlowRecord {
  std::uint64_t delivered = 0;  // bytes that reached the sink's socket
  std::int32_t pipe_read = -1;
  std::int32_t pipe_write = -1;
  std::uint32_t held = 0;  // bytes inside the pipe
  FlowState state = FlowState::open;
  bool copying = false;  // splice(2) refused these sockets once
  bool bulk = false;     // the last read filled its pipe: a large one pays
  bool in_copy = false;  // bytes are between source and sink, or in both
};

// All that a connection needs in order to go on, besides what the kernel holds. Written by its
// relay thread alone, and before the system call it describes, so that whoever reads it after a
// crash knows what may have happened and asks the kernel what did.
struct ConnectionRecord {
  std::uint64_t id = 0;          // unique within the life of the region
  std::int64_t accepted_at = 0;  // nanoseconds of the monotonic clock
  std::int64_t active_at = 0;    // last byte or end of a direction: what deadlines count from
  std::int32_t client_fd = -1;
  std::int32_t backend_fd = -1;
  ConnectionState state = ConnectionState::free;
  ResetBy reset = ResetBy::nobody;
  std::uint8_t attempts = 0;
  std::uint8_t crashes = 0;  // of workers that died handling this connection
  std::uint16_t listener = 0;
  std::uint16_t backend = kNoBackend;
  std::array<std::uint16_t, kMaxAttempts> tried{};  // backends, the first `attempts` of them
  FlowRecord to_backend;
  FlowRecord to_client;
  // The other one of two connects that race; only while connecting.
  std::int32_t second_fd = -1;
  std::uint16_t second_backend = kNoBackend;
  ReplayState replay = ReplayState::untouched;
  std::uint8_t failed = 0;  // those of `tried` that failed this client, a bit each (relay/tried)
  std::int32_t keep_read = -1;  // the keeping pipe
  std::int32_t keep_write = -1;
  std::uint32_t replayed = 0;  // bytes to the backend that went to one before it as well
};

// Whether a connection hangs on the record: what its descriptors name is open and its own.
[[nodiscard]] inline bool is_live(const ConnectionRecord& record) {
  switch (record.state) {
    case ConnectionState::accepting:
      return record.client_fd > 2;  // 0 to 2 can't be: the record was being written
    case ConnectionState::waiting:
    case ConnectionState::connecting:
    case ConnectionState::relaying:
      return true;
    case ConnectionState::free:
    case ConnectionState::closing:
      return false;
  }
  return false;  // what a broken worker left there
}

static_assert(std::is_trivially_copyable_v<ConnectionRecord>);
static_assert(sizeof(ConnectionRecord) <= 128, "an idle connection costs this much shared memory");

}  // namespace holdfast::state
