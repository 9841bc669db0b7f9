#include "crowd/result_json.h"

namespace holdfast::bench {
namespace {

using cli::to_milliseconds;
using nlohmann::ordered_json;

ordered_json losses_json(const Losses& losses) {
  return {{"opened", losses.opened},
          {"lost", losses.lost},
          {"not_opened", losses.not_opened},
          {"wrong_bytes", losses.wrong_bytes},
          {"reasons", losses.reasons}};
}

ordered_json percentiles(cli::Latencies& waits) {
  return {{"p50", to_milliseconds(waits.percentile(50))},
          {"p99", to_milliseconds(waits.percentile(99))},
          {"p99.9", to_milliseconds(waits.percentile(99.9))},
          {"max", to_milliseconds(waits.max())}};
}

}  // namespace

ordered_json to_json(CrowdResult& result, TimePoint begin) {
  auto events = ordered_json::array();
  for (auto& stall : result.stalls) {
    events.push_back({{"name", stall.event.name},
                      {"at_ms", to_milliseconds(stall.event.at - begin)},
                      {"stall_ms", percentiles(stall.longest)},
                      {"recovered_ms", to_milliseconds(stall.recovered)}});
  }
  return {{"lost", result.lost()},
          {"wrong_bytes", result.wrong_bytes()},
          {"established",
           {{"idle", losses_json(result.idle)},
            {"busy", losses_json(result.busy)},
            {"download", losses_json(result.downloads)},
            {"upload", losses_json(result.uploads)}}},
          {"new_connections",
           {{"attempted", result.new_attempted},
            {"failed", result.new_failed},
            {"reasons", result.new_reasons},
            {"waits_ms", percentiles(result.new_waits)}}},
          {"transfers", {{"finished", result.transfers}, {"bytes", result.bulk_bytes}}},
          {"requests",
           {{"done", result.requests},
            {"failed", result.failed_requests},
            {"waits_ms", percentiles(result.waits)},
            {"sent_late_ms", percentiles(result.late)}}},
          {"events", events}};
}

}  // namespace holdfast::bench
