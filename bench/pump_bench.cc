#include "relay/pump.h"

#include <benchmark/benchmark.h>

#include <string>
#include <vector>

#include "holdfast/base/clock.h"
#include "stream_pair.h"

// What it costs the balancer to move a message from one socket to another, spliced against copied.
// One thread plays client, balancer and backend in turn; only the balancer's turns are timed.

namespace holdfast::bench {
namespace {

enum class Way { splice, copy };

void pump_messages(benchmark::State& state, StreamPair::Kind kind, Way way) {
  const auto size = static_cast<std::size_t>(state.range(0));
  const std::string message(size, 'x');
  const StreamPair client(kind);
  const StreamPair backend(kind);
  relay::PipePool pipes(16, 4);
  std::vector<char> scratch(relay::kScratchSize);
  relay::PumpTools tools{pipes, scratch};
  state::FlowRecord flow;
  flow.copying = way == Way::copy;

  double calls = 0;
  for ([[maybe_unused]] auto _ : state) {
    std::size_t sent = 0;
    std::size_t received = 0;
    Duration spent{};
    while (received < size) {
      sent += send_some(client.near, std::string_view(message).substr(sent));
      const auto started = Clock::now();
      const auto stop = relay::pump(flow, client.far.get(), backend.near.get(), true, tools);
      spent += Clock::now() - started;
      ++calls;
      if (stop == relay::PumpStop::sink_reset || stop == relay::PumpStop::source_reset) {
        state.SkipWithError("a socket was reset");
        return;
      }
      received += receive_some(backend.far, size - received);
    }
    state.SetIterationTime(std::chrono::duration<double>(spent).count());
  }
  state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations() * size));
  state.counters["pumps"] = calls / static_cast<double>(state.iterations());
}

void sizes(benchmark::internal::Benchmark* benchmark) {
  benchmark->Arg(64)->Arg(1 << 10)->Arg(16 << 10)->Arg(256 << 10)->Arg(4 << 20)->UseManualTime();
}

BENCHMARK_CAPTURE(pump_messages, tcp_splice, StreamPair::Kind::tcp, Way::splice)->Apply(sizes);
BENCHMARK_CAPTURE(pump_messages, tcp_copy, StreamPair::Kind::tcp, Way::copy)->Apply(sizes);
BENCHMARK_CAPTURE(pump_messages, unix_splice, StreamPair::Kind::unix_stream, Way::splice)
    ->Apply(sizes);
BENCHMARK_CAPTURE(pump_messages, unix_copy, StreamPair::Kind::unix_stream, Way::copy)->Apply(sizes);

}  // namespace
}  // namespace holdfast::bench
