#pragma once

#include <cstdint>

// All fault points, in the order in which a connection meets them. Tests read this list: each of
// them is an end-to-end test of its own, and one that is never passed fails it.
#define HOLDFAST_FAULT_POINTS(X)                                            \
  /* src/guardian, src/worker: starting; a control thread's turn */         \
  X(worker_cloned)                                                          \
  X(worker_starts)                                                          \
  X(listening_bound)                                                        \
  X(listening_recorded)                                                     \
  X(listening_listens)                                                      \
  X(control_turns)                                                          \
  /* src/state/connection_table.cc: a record is taken */                    \
  X(table_counted)                                                          \
  X(table_index_taken)                                                      \
  X(table_record_cleared)                                                   \
  X(table_record_ready)                                                     \
  /* src/relay/listener.cc: a client is accepted */                         \
  X(accept_record_taken)                                                    \
  X(accept_client_unrecorded)                                               \
  X(accept_client_recorded)                                                 \
  X(accept_client_tuned)                                                    \
  X(accept_nothing_there)                                                   \
  X(accept_record_returned)                                                 \
  /* src/relay/session.cc, connector.cc: a backend is looked for */         \
  X(session_begins)                                                         \
  X(session_connecting)                                                     \
  X(session_counted)                                                        \
  X(connector_backend_picked)                                               \
  X(connector_backend_noted)                                                \
  X(connector_socket_unrecorded)                                            \
  X(connector_socket_recorded)                                              \
  X(connector_polled)                                                       \
  X(connector_woken)                                                        \
  X(connector_timed_out)                                                    \
  X(connector_late)                                                         \
  X(connector_race_begins)                                                  \
  X(connector_race_lost)                                                    \
  X(connector_winner_half_moved)                                            \
  X(connector_winner_named_twice)                                           \
  X(connector_winner_moved)                                                 \
  X(connector_total_reached)                                                \
  X(connector_failure_counted)                                              \
  X(connector_socket_forgotten)                                             \
  X(connector_socket_closed)                                                \
  /* src/relay/waiting.cc, session.cc: it waits for a place on a backend */ \
  X(session_waiting)                                                        \
  X(waiting_begun)                                                          \
  X(waiting_served)                                                         \
  X(waiting_turn)                                                           \
  X(session_turn_taken)                                                     \
  X(waiting_left)                                                           \
  X(waiting_timed_out)                                                      \
  /* src/relay/session.cc: a backend has answered */                        \
  X(session_connected)                                                      \
  X(session_relaying)                                                       \
  X(session_relaying_counted)                                               \
  X(session_relaying_polled)                                                \
  X(session_reject_counted)                                                 \
  X(session_reject_lingers)                                                 \
  /* src/relay/pump.cc, copy_channel.cc, pipe_pool.cc: bytes move */        \
  X(pipes_made)                                                             \
  X(pipes_enlarged)                                                         \
  X(pump_pipe_half_named)                                                   \
  X(pump_pipe_named)                                                        \
  X(pump_spliced_in)                                                        \
  X(pump_held_noted)                                                        \
  X(pump_spliced_out)                                                       \
  X(pump_held_reduced)                                                      \
  X(pump_delivered)                                                         \
  X(pump_pipe_half_returned)                                                \
  X(pump_pipe_unnamed)                                                      \
  X(pump_pipe_returned)                                                     \
  X(pump_copy_begins)                                                       \
  X(copy_peeked)                                                            \
  X(copy_sent)                                                              \
  X(copy_consumed)                                                          \
  X(pump_copied)                                                            \
  X(pump_copy_ended)                                                        \
  X(pump_eof_noted)                                                         \
  X(pump_aborted)                                                           \
  X(pump_pipe_discarded)                                                    \
  X(pipes_half_closed)                                                      \
  /* src/relay/replay.cc: another backend gets the same */                  \
  X(replay_pipe_half_named)                                                 \
  X(replay_pipe_named)                                                      \
  X(replay_begins_to_keep)                                                  \
  X(replay_kept)                                                            \
  X(replay_keeping_half_moved)                                              \
  X(replay_keeping_moved)                                                   \
  X(replay_over)                                                            \
  X(replay_pipe_half_unnamed)                                               \
  X(replay_pipe_returned)                                                   \
  X(replay_copied)                                                          \
  X(replay_connecting)                                                      \
  X(replay_old_pipe_half_unnamed)                                           \
  X(replay_old_pipe_returned)                                               \
  X(replay_new_pipe_half_named)                                             \
  X(replay_rewound)                                                         \
  X(replay_counted)                                                         \
  X(replay_backend_forgotten)                                               \
  X(replay_backend_released)                                                \
  /* src/relay/session.cc: relaying, and what ends it */                    \
  X(session_woken)                                                          \
  X(session_flows_run)                                                      \
  X(session_progress_counted)                                               \
  X(session_waits)                                                          \
  X(session_fin_due)                                                        \
  X(session_fin_noted)                                                      \
  X(session_fin_passed)                                                     \
  X(session_reset_seen)                                                     \
  X(session_reset_noted)                                                    \
  X(session_deadline_reached)                                               \
  X(session_delivery_waits)                                                 \
  X(session_end_counted)                                                    \
  X(session_end_lingers)                                                    \
  X(session_uncounted)                                                      \
  X(session_closing)                                                        \
  X(session_polls_gone)                                                     \
  X(session_pipes_gone)                                                     \
  X(session_backend_released)                                               \
  X(session_descriptors_forgotten)                                          \
  X(relay_session_erased)                                                   \
  X(table_record_freed)                                                     \
  X(relay_record_returned)                                                  \
  X(session_given_back)                                                     \
  /* src/worker/administration.cc, closings.cc: an operator's word */       \
  X(administration_weight_marked)                                           \
  X(administration_health_forgotten)                                        \
  X(administration_state_set)                                               \
  X(closing_half_noted)                                                     \
  X(closing_noted)                                                          \
  X(relay_backend_closes)                                                   \
  /* src/worker/reload.cc */                                                \
  X(reload_text_in_force)                                                   \
  X(reload_changes_in_force)                                                \
  /* src/worker/recovery.cc: a successor takes stock */                     \
  X(takeover_begins)                                                        \
  X(takeover_suspect_cleared)                                               \
  X(takeover_crash_noted)                                                   \
  X(takeover_quarantined)                                                   \
  X(takeover_quarantine_counted)                                            \
  X(takeover_counts_cleared)                                                \
  X(takeover_counted)                                                       \
  X(takeover_stray_closed)                                                  \
  X(takeover_client_found)                                                  \
  X(takeover_done)                                                          \
  /* src/relay/relay.cc, recovery.cc: a relay thread goes on */             \
  X(recovery_record_found)                                                  \
  X(recovery_pipe_half_closed)                                              \
  X(recovery_pipe_closed)                                                   \
  X(recovery_held_counted)                                                  \
  X(recovery_copy_measured)                                                 \
  X(recovery_copy_dropped)                                                  \
  X(recovery_copy_ended)                                                    \
  X(recovery_reconciled)                                                    \
  X(recovery_session_made)                                                  \
  X(recovery_socket_forgotten)                                              \
  X(recovery_second_forgotten)                                              \
  X(recovery_begins_again)                                                  \
  X(recovery_fins_repeated)                                                 \
  X(recovery_resumed)                                                       \
  X(recovery_client_taken)                                                  \
  X(recovery_client_recorded)                                               \
  X(recovery_given_up)                                                      \
  X(recovery_discarded)                                                     \
  /* src/relay/session.cc: HOLDFAST_FAULT_POISON */                         \
  X(poison)

namespace holdfast::fault {

enum class Point : std::uint32_t {
#define HOLDFAST_FAULT_NAME(name) name,
  HOLDFAST_FAULT_POINTS(HOLDFAST_FAULT_NAME)
#undef HOLDFAST_FAULT_NAME
};

// The process is at this point. Does to it what the file named by HOLDFAST_FAULT_FILE asks for,
// which test and processes map together; errno stays as it is. Any thread.
void pass(Point point);

// Whether the next bytes that the socket will read are "poison", while a test asks for something at
// the point. Looking takes the socket's error away, so it isn't looked at otherwise.
[[nodiscard]] bool is_poisonous(Point point, int socket);

// Ends the process with a message unless it holds.
void check(bool holds, const char* what);

}  // namespace holdfast::fault
