#pragma once

#include <memory>
#include <set>
#include <vector>

#include "holdfast/config/config.h"
#include "holdfast/loop/loop.h"
#include "holdfast/state/region.h"
#include "worker/descriptor_budget.h"
#include "worker/entries.h"
#include "worker/listening_sockets.h"
#include "worker/recovery.h"
#include "worker/relay_thread.h"
#include "worker/retirement.h"
#include "worker/socket_placement.h"
#include "worker/topology.h"

namespace holdfast::worker {

// All that moves connections: relay threads, listening sockets, pools. A configuration is put in
// force in two steps, the first of which may fail and changes nothing that is in use. Control
// thread.
class DataPlane {
 public:
  // What a configuration needs, made and ready.
  struct Staged {
    Config config;
    DescriptorBudget budget;
    unsigned threads = 0;
    Topology topology;
    std::vector<SocketPlace> places = {};            // of all listening sockets that are to serve
    std::vector<state::ListeningSocket*> made = {};  // those of them that are new
    std::set<std::uint16_t> incomplete = {};         // listeners that couldn't have all sockets
  };

  // `inheritance`: what a worker before this one left, if there was one.
  DataPlane(loop::Loop& loop, state::Region& region, std::optional<Inheritance> inheritance,
            Log& log);
  // Closes what connections are left, and removes the files of Unix listeners, unless a successor
  // is to find them.
  ~DataPlane();
  DataPlane(const DataPlane&) = delete;

  // After a crash, a listener that can't be had is reported and left out: connections come first.
  [[nodiscard]] Result<Staged> stage(const Config& config, const Answers& answers);
  void discard(const Staged& staged);
  void commit(const Staged& staged);

  // Starts the relay threads; returns when they have taken over what was inherited.
  void start();

  // Accepts what has been queued up to now, then closes the listening sockets.
  void stop_accepting();

  // On whatever thread they are.
  void close_backend(const relay::BackendClosing& closing);

  // Ends all threads and their connections.
  void close();

  // All threads end between two events and leave every connection as it is, for a successor.
  void halt();

  [[nodiscard]] const Topology& topology() const { return topology_; }
  [[nodiscard]] Entries& entries() { return entries_; }
  [[nodiscard]] const Inheritance& inheritance() const { return inheritance_; }

 private:
  void report_lost_names(const Config& config, const Answers& answers);
  [[nodiscard]] Result<void> check_sources(const Config& config);
  [[nodiscard]] Result<void> stage_listener(const ListenerConfig& config, const Answers& answers,
                                            std::uint16_t listener, Staged& staged);
  [[nodiscard]] Result<void> make_threads(unsigned count, const relay::RelayLimits& limits);
  void place_sockets(const Staged& staged);
  void give_names_back();
  void retire_sockets(const Staged& staged);
  void retire_listeners();

  state::Region& region_;
  state::SharedState& shared_;
  Log& log_;
  Entries entries_;
  ListeningSockets sockets_;
  Inheritance inheritance_;
  Topology topology_;
  SocketPlacement placement_;
  std::vector<std::unique_ptr<RelayThread>> relays_;
  Retirement retirement_;
  bool takes_over_;
  bool started_ = false;
  bool leaves_sockets_;  // a worker that can't take over leaves them to the next one
};

}  // namespace holdfast::worker
