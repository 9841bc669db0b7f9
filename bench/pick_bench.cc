#include <benchmark/benchmark.h>

#include <memory>
#include <string>
#include <vector>

#include "holdfast/balance/maglev.h"
#include "holdfast/base/socket_address.h"
#include "holdfast/pool/pool.h"
#include "holdfast/state/region.h"

// What it costs to choose a backend, by how many there are: the algorithm by itself, and the pool
// with its lock, its look at health and weight, and its counting, as every new connection pays it.

namespace holdfast::bench {
namespace {

struct Candidates {
  explicit Candidates(std::size_t count) : turns(count) {
    for (std::size_t i = 0; i < count; ++i) {
      all.push_back({.weight = static_cast<std::uint32_t>(1 + i % 3),
                     .active = static_cast<std::uint32_t>(i * 7 % 11),
                     .turn = &turns[i],
                     .identity = balance::mix(i)});
    }
  }

  std::vector<std::int64_t> turns;
  std::vector<balance::Candidate> all;
};

void algorithm(benchmark::State& state, Balance balance) {
  const Candidates candidates(static_cast<std::size_t>(state.range(0)));
  balance::Random random(1);
  for ([[maybe_unused]] auto _ : state) {
    benchmark::DoNotOptimize(balance::pick(balance, candidates.all, {random.next(), random}));
  }
}

std::vector<pool::Backend> make_backends(std::size_t count, state::SharedState& shared) {
  std::vector<pool::Backend> backends;
  const auto address = SocketAddress::from(*Endpoint::parse("127.0.0.1:1")).value();
  for (std::size_t index = 0; index < count; ++index) {
    auto& entry = shared.backends[index];
    entry.weight.set(static_cast<std::uint32_t>(1 + index % 3));
    entry.published_health.set(static_cast<std::uint32_t>(state::Health::up));
    backends.push_back(
        {static_cast<std::uint16_t>(index), "backend-" + std::to_string(index), address});
  }
  return backends;
}

// Each connection is released when `kOpen` newer ones are open, so that backends are loaded.
void whole_pool(benchmark::State& state, Balance balance) {
  constexpr std::size_t kOpen = 64;
  const auto region = state::Region::create(1).value();
  PoolConfig config;
  config.balance = balance;
  pool::Pool pool(config, 0,
                  make_backends(static_cast<std::size_t>(state.range(0)), region.shared()),
                  region.shared());
  pool.update();
  balance::Random random(1);
  std::vector<const pool::Backend*> open(kOpen, nullptr);
  std::size_t next = 0;
  for ([[maybe_unused]] auto _ : state) {
    auto& slot = open[next++ % kOpen];
    if (slot != nullptr) {
      pool.release(slot->index);
    }
    slot = pool.pick({.client = random.next()});
  }
}

void sizes(benchmark::internal::Benchmark* benchmark) {
  benchmark->Arg(3)->Arg(100)->Arg(1000)->Arg(state::kMaxBackends);
}

BENCHMARK_CAPTURE(algorithm, round_robin, Balance::round_robin)->Apply(sizes);
BENCHMARK_CAPTURE(algorithm, least_connections, Balance::least_connections)->Apply(sizes);
// Highest random weight, for the clients that maglev's table has no answer for.
BENCHMARK_CAPTURE(algorithm, maglev_without_table, Balance::maglev)->Apply(sizes);
BENCHMARK_CAPTURE(algorithm, power_of_two, Balance::power_of_two)->Apply(sizes);
BENCHMARK_CAPTURE(algorithm, random, Balance::random)->Apply(sizes);
BENCHMARK_CAPTURE(algorithm, first, Balance::first)->Apply(sizes);
BENCHMARK_CAPTURE(whole_pool, round_robin, Balance::round_robin)->Apply(sizes);
BENCHMARK_CAPTURE(whole_pool, least_connections, Balance::least_connections)->Apply(sizes);
BENCHMARK_CAPTURE(whole_pool, power_of_two, Balance::power_of_two)->Apply(sizes);
BENCHMARK_CAPTURE(whole_pool, random, Balance::random)->Apply(sizes);
BENCHMARK_CAPTURE(whole_pool, first, Balance::first)->Apply(sizes);
BENCHMARK_CAPTURE(whole_pool, maglev, Balance::maglev)->Apply(sizes);

// A table anew, on the control thread.
void maglev_table(benchmark::State& state) {
  std::vector<balance::MaglevTable::Member> members;
  for (std::int64_t i = 0; i < state.range(0); ++i) {
    members.push_back({"backend-" + std::to_string(i), static_cast<std::uint32_t>(1 + i % 3)});
  }
  for ([[maybe_unused]] auto _ : state) {
    benchmark::DoNotOptimize(balance::MaglevTable(members, HashConfig{}.table_size));
  }
}
BENCHMARK(maglev_table)->Apply(sizes)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace holdfast::bench
