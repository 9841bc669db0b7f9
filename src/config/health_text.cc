#include "config/health_text.h"

#include "config/byte_size.h"
#include "config/escapes.h"
#include "config/status_ranges.h"
#include "config/units.h"
#include "config/words.h"

namespace holdfast {
namespace {

constexpr const char* kBackends = "the backend's";

std::string text_of(const std::optional<CheckTlsConfig>& tls) {
  if (!tls) {
    return "off";
  }
  return std::string(tls->verify ? "verified" : "not verified") +
         (tls->sni.empty() ? "" : ", sni " + escape(tls->sni)) +
         (tls->ca.empty() ? "" : ", ca " + escape(tls->ca));
}

}  // namespace

std::vector<std::pair<std::string, std::string>> text_of_health(const HealthConfig& health) {
  const auto interval = [](const std::optional<Milliseconds>& own) {
    return own ? format_duration(*own) : "as interval";
  };
  return {
      {"type", std::string(word_for(health.type))},
      {"interval", format_duration(health.interval)},
      {"fast_interval", interval(health.fast_interval)},
      {"down_interval", interval(health.down_interval)},
      {"timeout", format_duration(health.timeout)},
      {"rise", std::to_string(health.rise)},
      {"fall", std::to_string(health.fall)},
      {"port", health.port == 0 ? kBackends : std::to_string(health.port)},
      {"address", health.address ? health.address->to_string() : kBackends},
      {"tls", text_of(health.tls)},
      {"send", "'" + escape(health.send) + "'"},
      {"expect", "'" + escape(health.expect) + "'"},
      {"limit", format_byte_size(health.limit)},
      {"method", escape(health.method)},
      {"path", escape(health.path)},
      {"host", health.host.empty() ? kBackends : escape(health.host)},
      {"status", format_status_ranges(health.status)},
  };
}

}  // namespace holdfast
