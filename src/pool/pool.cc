#include "holdfast/pool/pool.h"

#include <algorithm>
#include <cstdlib>
#include <utility>

#include "holdfast/balance/draw.h"
#include "holdfast/balance/hash.h"
#include "holdfast/pool/candidacy.h"
#include "holdfast/pool/ejection.h"
#include "pool/maglev_tables.h"

namespace holdfast::pool {
namespace {

// Entries of a table that are looked at before all backends are: with half of them down, one client
// in 2^64 gets that far.
constexpr std::size_t kLongestWalk = 64;

std::uint32_t heaviest_of(const PoolConfig& config) {
  unsigned heaviest = 1;
  for (const auto& backend : config.backends) {
    heaviest = std::max(heaviest, backend.weight);
  }
  return heaviest * kWholeWeight;
}

}  // namespace

Pool::Pool(const PoolConfig& config, std::uint16_t index, std::vector<Backend> backends,
           state::SharedState& shared, const Pool* predecessor, std::uint64_t seed)
    : config_(config),
      index_(index),
      backends_(std::move(backends)),
      shared_(shared),
      common_(predecessor != nullptr ? predecessor->common_ : std::make_shared<Common>(seed)),
      heaviest_(heaviest_of(config)),
      racing_(predecessor != nullptr ? predecessor->racing_ : std::make_shared<Racing>()) {
  for (auto& backend : backends_) {
    backend.identity = balance::hash(backend.name);
    highest_tier_ = std::max(highest_tier_, backend.tier);
    always_same_reach_ = always_same_reach_ && backend.tier == backends_.front().tier;
  }
  always_same_reach_ = always_same_reach_ && config_.panic_threshold == 0;
  candidates_.reserve(backends_.size());
  candidate_backends_.reserve(backends_.size());
}

Pool::~Pool() = default;

const Backend* Pool::pick(const PickRequest& request) {
  const std::lock_guard lock(common_->mutex);
  if (common_->held || common_->queue.size() > 0) {
    return nullptr;  // it is somebody else's turn
  }
  return take(request);
}

void Pool::release(std::uint16_t backend) {
  shared_.backends[backend].active.decrement();
  // Under the lock, or a client that finds this place taken and begins to wait might not be seen.
  // Where nobody can wait, nobody pays for that.
  if (config_.queue.size > 0 || shared_.pools[index_].waiting.get() > 0) {
    serve_waiting();
  }
}

const Backend* Pool::take(const PickRequest& request) {
  auto reach = this->reach();
  const auto* backend = choose(request, reach);
  // A client that has tried all there are in its tiers is better served by another than by nobody.
  while (backend == nullptr && !request.tried.empty() && reach.tier < highest_tier_) {
    ++reach.tier;
    backend = choose(request, reach);
  }
  if (backend != nullptr) {
    auto& state = entry(*backend);
    if (config_.passive.is_on && is_ejected(state.ejection)) {
      begin_trial(state.ejection, config_.passive, Clock::now());
    }
    state.active.increment();
  }
  return backend;
}

const Backend* Pool::choose(const PickRequest& request, Reach reach) {
  const auto weight_at = [&](std::size_t place) {
    const auto& backend = backends_[place];
    return is_usable(backend, request, reach)
               ? effective_weight(entry(backend), config_.slow_start, request.now)
               : 0;
  };
  const auto active_at = [&](std::size_t place) { return entry(backends_[place]).active.get(); };
  const auto at = [&](std::optional<std::size_t> place) {
    return place ? &backends_[*place] : nullptr;
  };
  switch (config_.balance) {
    case Balance::round_robin:
    case Balance::least_connections:
      return choose_from_list(request, reach);
    case Balance::power_of_two:
      return at(
          balance::draw_two(backends_.size(), heaviest_, weight_at, active_at, common_->random));
    case Balance::random:
      return at(balance::draw(backends_.size(), heaviest_, weight_at, common_->random));
    case Balance::first:
      return choose_first(request, reach);
    case Balance::maglev:
      return choose_by_table(request, reach);
  }
  std::abort();
}

const Backend* Pool::choose_from_list(const PickRequest& request, Reach reach) {
  candidates_.clear();
  candidate_backends_.clear();
  for (const auto& backend : backends_) {
    if (is_usable(backend, request, reach)) {
      auto& state = entry(backend);
      const auto weight = effective_weight(state, config_.slow_start, request.now);
      candidates_.push_back({weight, state.active.get(), &state.turn, backend.identity});
      candidate_backends_.push_back(&backend);
    }
  }
  const auto picked =
      balance::pick(config_.balance, candidates_, {request.client, common_->random});
  return picked ? candidate_backends_[*picked] : nullptr;
}

// One that is on its way up is passed over as often as its weight isn't there yet.
const Backend* Pool::choose_first(const PickRequest& request, Reach reach) {
  const Backend* passed_over = nullptr;
  for (const auto& backend : backends_) {
    if (!is_usable(backend, request, reach)) {
      continue;
    }
    const double share = share_of_weight(entry(backend), config_.slow_start, request.now);
    if (share >= 1 || balance::fraction(common_->random.next()) < share) {
      return &backend;
    }
    passed_over = passed_over == nullptr ? &backend : passed_over;
  }
  return passed_over;
}

// Backend by backend along the table, from the client's own entry on. One that is on its way up
// takes a part of its clients only, always the same and more and more of them, so that none of
// them moves more than once.
const Backend* Pool::choose_by_table(const PickRequest& request, Reach reach) {
  const auto* table = tables_ ? tables_->up_to(reach.tier) : nullptr;
  if (table != nullptr) {
    const std::size_t longest = std::min(kLongestWalk, table->size());
    for (std::size_t further = 0; further < longest; ++further) {
      const auto& backend = backends_[table->at(request.client, further)];
      if (!is_usable(backend, request, reach)) {
        continue;
      }
      const double share = share_of_weight(entry(backend), config_.slow_start, request.now);
      if (share >= 1 ||
          balance::fraction(balance::mix(request.client ^ backend.identity)) < share) {
        return &backend;
      }
    }
  }
  return choose_from_list(request, reach);
}

bool Pool::is_usable(const Backend& backend, const PickRequest& request, Reach reach) const {
  const auto& state = entry(backend);
  return backend.address && backend.tier <= reach.tier && is_admitted(state) &&
         (reach.panics || is_healthy(state)) && !is_full(backend) &&
         std::ranges::find(request.tried, backend.index) == request.tried.end();
}

bool Pool::is_full(const Backend& backend) const {
  return backend.max_connections > 0 && entry(backend).active.get() >= backend.max_connections;
}

bool Pool::is_serving(const Backend& backend) const {
  return backend.address && is_admitted(entry(backend)) && is_healthy(entry(backend));
}

std::size_t Pool::serving() const {
  return static_cast<std::size_t>(std::ranges::count_if(
      backends_, [this](const Backend& backend) { return is_serving(backend); }));
}

Reach Pool::reach() const {
  if (always_same_reach_) {
    return {};
  }
  std::array<std::size_t, kMaxTier + 1> serving_in{};
  std::size_t admitted = 0;
  std::size_t serving = 0;
  for (const auto& backend : backends_) {
    admitted += backend.address && is_admitted(entry(backend)) ? 1 : 0;
    if (is_serving(backend)) {
      ++serving;
      ++serving_in.at(backend.tier);
    }
  }
  if (serving * 100 < admitted * config_.panic_threshold) {
    return {.tier = highest_tier_, .panics = true};
  }
  std::size_t so_far = 0;
  unsigned tier = 0;
  while ((so_far += serving_in.at(tier)) < config_.min_healthy && tier < highest_tier_) {
    ++tier;
  }
  return {.tier = tier};
}

void Pool::update() {
  MaglevTables::Members members;
  std::uint32_t heaviest = 1;
  for (const auto& backend : backends_) {
    const auto weight = whole_weight(entry(backend));
    heaviest = std::max(heaviest, weight);
    members.push_back({backend.name, weight});
  }
  std::shared_ptr<const MaglevTables> tables;
  {
    const std::lock_guard lock(common_->mutex);
    heaviest_ = heaviest;
    tables = tables_;
  }
  if (config_.balance != Balance::maglev || (tables && tables->members == members)) {
    return;
  }
  // Not under the lock: clients are picked for by the old ones meanwhile.
  tables =
      std::make_shared<const MaglevTables>(std::move(members), backends_, config_.hash.table_size);
  const std::lock_guard lock(common_->mutex);
  tables_.swap(tables);
}

}  // namespace holdfast::pool
