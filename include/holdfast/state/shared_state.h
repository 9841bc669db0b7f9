#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <span>
#include <string_view>
#include <type_traits>

#include "holdfast/state/administration.h"
#include "holdfast/state/agent_record.h"
#include "holdfast/state/connection_record.h"
#include "holdfast/state/counter.h"
#include "holdfast/state/event_ring.h"
#include "holdfast/state/header.h"
#include "holdfast/state/listening_socket.h"
#include "holdfast/state/supervision.h"

namespace holdfast::state {

// The layout of the shared region, from its start: everything that outlives a thread's memory.
// The arrays have their largest size, since pages nobody touches cost nothing; an entry's index
// is its identity, and one without a name is unused. Who writes is said at each part; everybody
// may read, names only where the control thread doesn't change them meanwhile (Worker::entries()).

inline constexpr std::size_t kMaxThreads = 64;
inline constexpr std::size_t kMaxListeners = 256;
inline constexpr std::size_t kMaxPools = 256;
inline constexpr std::size_t kMaxBackends = 4096;
inline constexpr std::size_t kMaxListeningSockets = 8192;
inline constexpr std::size_t kNameSize = 64;

enum class Health : std::uint8_t { unknown, up, down };  // unknown serves
inline constexpr std::size_t kHealthStates = 3;

// What the worker as a whole is doing; /readyz says yes while it is serving.
enum class Phase : std::uint8_t { starting, serving, stopping };

// Why a connect failed.
enum class ConnectFailure : std::uint8_t { refused, reset, unreachable, timeout, local, other };
inline constexpr std::size_t kConnectFailures = 6;

// How a connection on a backend ended.
enum class CloseCause : std::uint8_t {
  finished,  // both ends said FIN
  client_reset,
  backend_reset,
  idle_timeout,
  half_close_timeout,
  shutdown,
  backend_down,   // on_down: close
  drained,        // an operator's drain came to its end
  lower_tier_up,  // on_up_from_lower_tier: close
};
inline constexpr std::size_t kCloseCauses = 9;

// Why a client got no service.
enum class Rejection : std::uint8_t {
  no_backend,
  shutdown,
  backends_full,  // max_connections of all backends that serve, and the pool has no queue
  queue_full,
  queue_timeout,
  queue_left,   // the client didn't wait
  client_left,  // the same while a backend was being connected to
};
inline constexpr std::size_t kRejections = 7;

[[nodiscard]] std::string_view to_string(Health health);
[[nodiscard]] std::string_view to_string(ConnectFailure failure);
[[nodiscard]] std::string_view to_string(CloseCause cause);
[[nodiscard]] std::string_view to_string(Rejection rejection);

using Name = std::array<char, kNameSize>;  // ends with NUL
[[nodiscard]] Name to_name(std::string_view text);
[[nodiscard]] std::string_view to_view(const Name& name);

// The entries that have been in use, some of which may be free again.
template <class Array>
[[nodiscard]] auto first_touched(Array& entries, const Gauge& touched) {
  return std::span(entries).first(std::min<std::size_t>(touched.get(), entries.size()));
}

struct ListenerCounters {
  Counter connections;
  Counter closed;  // active = connections - closed
  std::array<Counter, kRejections> rejected;
  Counter accept_pauses;   // out of descriptors or memory
  Counter received_bytes;  // from clients
  Counter sent_bytes;      // to clients
};

struct PoolCounters {
  Counter failovers;  // connects retried on another backend
  Counter no_backend;
  Counter hedges_won;     // second connects that were the first to be done
  Counter hedges_lost;    // those that weren't
  Counter hedges_denied;  // not begun for want of budget
  Counter replays;        // connections that went to another backend with what had been sent
  Histogram queue_wait;   // of those that were given a backend
  Histogram connect_duration;
  Histogram connection_duration;
};

struct BackendCounters {
  Counter connections;
  std::array<Counter, kConnectFailures> connect_failures;
  std::array<Counter, kCloseCauses> closed;
  Counter received_bytes;  // from the backend
  Counter sent_bytes;      // to the backend
};

// Written by one relay thread.
struct alignas(64) ThreadState {
  Counter heartbeat;  // nanoseconds of the monotonic clock, stamped as long as it gets on
  Gauge handling;     // index of the record being worked on, plus 1; 0: none
  Gauge touched;      // records from this index on were never used
  Gauge tid;          // of the thread, gettid(2)
  Counter last_id;    // of a connection on this thread
  Counter recovered;  // connections that outlived a worker
  Counter lost;       // those that couldn't be gone on with
  std::array<ListenerCounters, kMaxListeners> listeners;
  std::array<PoolCounters, kMaxPools> pools;
  std::array<BackendCounters, kMaxBackends> backends;
};

// Health, as the checks of the control thread see it.
struct HealthRecord {
  Health state = Health::unknown;
  std::uint8_t successes = 0;  // in a row
  std::uint8_t failures = 0;   // in a row
  std::uint8_t unused = 0;
};

enum class EjectionState : std::uint8_t {
  none,
  ejected,   // gets no new connections
  on_trial,  // gets no others than the one that was let through to see how it fares
};

// What a backend's own connections say of it (pool/ejection). Written under its pool's mutex.
struct EjectionRecord {
  Gauge state;            // EjectionState; written last
  Gauge failures;         // in a row
  Gauge times;            // ejections in a row
  Counter until;          // nanoseconds of the monotonic clock
  Counter readmitted_at;  // the same
  Counter total;          // ejections

  [[nodiscard]] EjectionState current() const { return static_cast<EjectionState>(state.get()); }
};

struct alignas(64) BackendEntry {
  Name name{};
  Gauge retired;  // 1: not configured any more, kept for the connections it still has
  std::uint16_t pool = 0;
  HealthRecord health;     // control thread
  SocketAddress address;   // size 0: its name didn't resolve; control thread
  Gauge published_health;  // health.state, where relay threads read it
  Gauge weight;
  Gauge tier;             // control thread
  Gauge max_connections;  // 0: no limit; control thread
  AgentRecord agent;
  Gauge active;           // connections on it or being connected to it; relay threads
  std::int64_t turn = 0;  // smooth weighted round robin; under its pool's mutex
  // When it last came back, from being down, ejected or in maintenance, nanoseconds of the
  // monotonic clock; 0: it never was. What slow_start counts from; control thread.
  Counter came_back_at;
  Counter checks_passed;
  Counter checks_failed;
  std::array<Counter, kHealthStates> transitions;  // by the state it came to
  Counter changed_at;                              // seconds since 1970, in milliseconds
  EjectionRecord ejection;
  AdminRecord admin;  // control thread

  [[nodiscard]] Health current_health() const {
    return static_cast<Health>(published_health.get());
  }
};

struct PoolEntry {
  Name name{};
  Gauge retired;
  Gauge waiting;                    // clients in its queue; under its pool's mutex
  Gauge tier;                       // the highest that is in use; control thread
  Gauge panics;                     // 1 while it tries backends that are down; control thread
  Histogram health_check_duration;  // control thread
  SocketAddress check_address;      // of `health.address`; size 0: none; control thread
};

struct ListenerEntry {
  Name name{};
  Gauge retired;
  // For connections that outlive their listener's place in the configuration.
  std::uint16_t pool = 0;
  std::int64_t idle_timeout = 0;        // nanoseconds
  std::int64_t half_close_timeout = 0;  // nanoseconds
};

// What became of changed configurations. Control thread.
struct Reloads {
  Counter succeeded;
  Counter failed;
  Gauge last_failed;  // 1: what is in force is older than what was last asked for
};

// Sockets of the admin interface, which a successor goes on to listen on. Control thread.
enum class AdminSocket : std::uint8_t { http, control };
inline constexpr std::size_t kAdminSockets = 2;

struct SharedState {
  Header header;
  Supervision supervision;
  Gauge config_fd;   // a memfd with the text that is in force; control thread
  Gauge changes_fd;  // a memfd with the backends that operators added and removed; 0: none
  Gauge lock_fd;     // tells other starts that this instance lives; 0: none; control thread
  Reloads reloads;
  Gauge connections;   // open or being accepted, all threads: what max_connections limits
  Gauge threads;       // relay threads that there have been: those with counters
  Gauge phase;         // Phase; control thread
  Counter started_at;  // seconds since 1970, in milliseconds
  Counter control_heartbeat;
  // Entries from these indexes on were never used; control thread.
  Gauge sockets_touched;
  Gauge listeners_touched;
  Gauge pools_touched;
  Gauge backends_touched;
  std::array<ListeningSocket, kAdminSockets> admin_sockets;
  EventRing events;
  std::array<ListeningSocket, kMaxListeningSockets> sockets;
  std::array<ListenerEntry, kMaxListeners> listeners;
  std::array<PoolEntry, kMaxPools> pools;
  std::array<BackendEntry, kMaxBackends> backends;
  std::array<ThreadState, kMaxThreads> per_thread;

  [[nodiscard]] Phase current_phase() const { return static_cast<Phase>(phase.get()); }
  [[nodiscard]] ListeningSocket& admin_socket(AdminSocket which) {
    return admin_sockets[static_cast<std::size_t>(which)];
  }

  // The connection records follow, the same number for each of kMaxThreads threads.
};

static_assert(std::is_trivially_copyable_v<SharedState>);

}  // namespace holdfast::state
