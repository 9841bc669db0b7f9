#include "holdfast/config/diff.h"

#include <map>
#include <string_view>
#include <type_traits>

#include "config/byte_size.h"
#include "config/health_text.h"
#include "config/units.h"
#include "config/words.h"

namespace holdfast {
namespace {

std::string text_of(const std::string& text) {
  return text;
}
std::string text_of(unsigned number) {
  return std::to_string(number);
}
std::string text_of(Milliseconds duration) {
  return format_duration(duration);
}
std::string text_of(const Endpoint& endpoint) {
  return endpoint.to_string();
}
std::string text_of(const std::optional<unsigned>& number) {
  return number ? std::to_string(*number) : "auto";
}
std::string text_of(const std::optional<Endpoint>& endpoint) {
  return endpoint ? endpoint->to_string() : "off";
}
template <class Enum>
requires std::is_enum_v<Enum> std::string text_of(Enum value) {
  return std::string(word_for(value));
}
// Off when it is none.
std::string off_or(Milliseconds duration) {
  return duration.count() == 0 ? "off" : format_duration(duration);
}
std::string limit_text(unsigned limit) {
  return limit == 0 ? "off" : std::to_string(limit);
}
std::string text_of(const QueueConfig& queue) {
  return queue.size == 0 ? "off"
                         : std::to_string(queue.size) + " for " + format_duration(queue.timeout);
}
std::string text_of(const std::vector<BindConfig>& binds) {
  std::string text;
  for (const auto& bind : binds) {
    text += (text.empty() ? "" : ", ") + bind.endpoint.to_string();
  }
  return text;
}

// What isn't given is as the kernel has it.
std::string text_of(const Keepalive& keepalive) {
  if (!keepalive.on) {
    return "off";
  }
  std::string text;
  const auto add = [&](const char* key, bool given, const std::string& value) {
    if (given) {
      text += (text.empty() ? "" : ", ") + std::string(key) + " " + value;
    }
  };
  add("idle", keepalive.idle.count() > 0, format_duration(keepalive.idle));
  add("interval", keepalive.interval.count() > 0, format_duration(keepalive.interval));
  add("count", keepalive.count > 0, std::to_string(keepalive.count));
  return text.empty() ? "on" : text;
}
std::string text_or_off(Milliseconds duration) {
  return duration.count() > 0 ? format_duration(duration) : "off";
}

// Collects lines about one thing, such as "pool web: ".
class Lines {
 public:
  Lines(std::vector<std::string>& lines, std::string about)
      : lines_(lines), about_(std::move(about)) {}

  template <class Value>
  void compare(const std::string& key, const Value& before, const Value& after) {
    if (const auto was = text_of(before), is = text_of(after); was != is) {
      lines_.push_back(about_ + key + " " + was + " -> " + is);
    }
  }
  void say(const std::string& text) { lines_.push_back(about_ + text); }

  // Calls `changed` for each pair of the same name, and tells of the others.
  template <class Named, class Describe, class Changed>
  void match(const std::string& kind, const std::vector<Named>& before,
             const std::vector<Named>& after, Describe describe, Changed changed) {
    const auto by_name = [](const std::vector<Named>& all) {
      std::map<std::string_view, const Named*> found;
      for (const auto& one : all) {
        found.emplace(one.name, &one);
      }
      return found;
    };
    const auto known = by_name(after);
    for (const auto& one : before) {
      if (const auto same = known.find(one.name); same == known.end()) {
        say(kind + " " + one.name + " removed");
      } else {
        changed(one, *same->second);
      }
    }
    const auto former = by_name(before);
    for (const auto& one : after) {
      if (!former.contains(one.name)) {
        say(kind + " " + one.name + " added (" + describe(one) + ")");
      }
    }
  }

 private:
  std::vector<std::string>& lines_;
  std::string about_;
};

void diff_stream(const std::string& prefix, const StreamOptions& before, const StreamOptions& after,
                 Lines& lines) {
  lines.compare(prefix + "user_timeout", text_or_off(before.user_timeout),
                text_or_off(after.user_timeout));
  lines.compare(prefix + "keepalive", before.keepalive, after.keepalive);
}

void diff_connect_sockets(const ConnectOptions& before, const ConnectOptions& after, Lines& lines) {
  const auto source = [](const ConnectOptions& options) {
    return options.source.size() > 0 ? options.source.endpoint().host : "none";
  };
  const auto fastopen = [](const ConnectOptions& options) {
    return std::string(options.fastopen ? "on" : "off");
  };
  lines.compare("connect.bind_source", source(before), source(after));
  diff_stream("connect.", before.stream, after.stream, lines);
  lines.compare("connect.fastopen", fastopen(before), fastopen(after));
}

void diff_listener(const ListenerConfig& before, const ListenerConfig& after,
                   std::vector<std::string>& all) {
  Lines lines(all, "listener " + after.name + ": ");
  lines.compare("bind", before.bind, after.bind);
  lines.compare("pool", before.pool, after.pool);
  lines.compare("idle_timeout", before.idle_timeout, after.idle_timeout);
  lines.compare("half_close_timeout", before.half_close_timeout, after.half_close_timeout);
  diff_stream("", before.socket.stream, after.socket.stream, lines);
  const auto queue = [](unsigned length) { return length > 0 ? std::to_string(length) : "off"; };
  lines.compare("fastopen", queue(before.socket.fastopen), queue(after.socket.fastopen));
}

std::string text_of_hedge(const ConnectConfig& connect) {
  if (!connect.hedge_after) {
    return "auto";
  }
  return *connect.hedge_after == Milliseconds(0) ? "off" : format_duration(*connect.hedge_after);
}

std::string text_of_replay(const ReplayConfig& replay) {
  return replay.up_to == 0 ? "off" : "up_to " + format_byte_size(replay.up_to);
}

void diff_passive(const PassiveConfig& before, const PassiveConfig& after, Lines& lines) {
  const auto on_or_off = [](bool is_on) { return std::string(is_on ? "on" : "off"); };
  lines.compare("passive", on_or_off(before.is_on), on_or_off(after.is_on));
  lines.compare("passive.failures", before.failures, after.failures);
  lines.compare("passive.eject_for", before.eject_for, after.eject_for);
  lines.compare("passive.max_ejected", std::to_string(before.max_ejected) + "%",
                std::to_string(after.max_ejected) + "%");
}

void diff_health(const HealthConfig& before, const HealthConfig& after, Lines& lines) {
  const auto was = text_of_health(before);
  const auto is = text_of_health(after);
  for (std::size_t i = 0; i < is.size(); ++i) {
    lines.compare("health." + is[i].first, was[i].second, is[i].second);
  }
}

void diff_pool(const PoolConfig& before, const PoolConfig& after, std::vector<std::string>& all) {
  Lines lines(all, "pool " + after.name + ": ");
  lines.compare("balance", before.balance, after.balance);
  lines.compare("hash.key", before.hash.key, after.hash.key);
  lines.compare("hash.table_size", before.hash.table_size, after.hash.table_size);
  lines.compare("min_healthy", before.min_healthy, after.min_healthy);
  lines.compare("panic_threshold", std::to_string(before.panic_threshold) + "%",
                std::to_string(after.panic_threshold) + "%");
  lines.compare("slow_start", off_or(before.slow_start), off_or(after.slow_start));
  lines.compare("queue", before.queue, after.queue);
  lines.compare("connect.timeout", before.connect.timeout, after.connect.timeout);
  lines.compare("connect.attempts", before.connect.attempts, after.connect.attempts);
  diff_connect_sockets(before.connect.socket, after.connect.socket, lines);
  lines.compare("connect.total", before.connect.total, after.connect.total);
  lines.compare("connect.hedge_after", text_of_hedge(before.connect), text_of_hedge(after.connect));
  diff_passive(before.passive, after.passive, lines);
  lines.compare("replay", text_of_replay(before.replay), text_of_replay(after.replay));
  diff_health(before.health, after.health, lines);
  lines.compare("on_down", before.on_down, after.on_down);
  lines.compare("on_up_from_lower_tier", before.on_up_from_lower_tier, after.on_up_from_lower_tier);
  lines.match(
      "backend", before.backends, after.backends,
      [](const BackendConfig& backend) { return backend.address.to_string(); },
      [&](const BackendConfig& was, const BackendConfig& is) {
        const auto backend = "backend " + is.name + " ";
        lines.compare(backend + "address", was.address, is.address);
        lines.compare(backend + "weight", was.weight, is.weight);
        lines.compare(backend + "tier", was.tier, is.tier);
        lines.compare(backend + "max_connections", limit_text(was.max_connections),
                      limit_text(is.max_connections));
      });
}

}  // namespace

std::vector<std::string> diff(const Config& before, const Config& after) {
  std::vector<std::string> all;
  Lines lines(all, "");
  lines.compare("threads", before.threads, after.threads);
  lines.compare("max_connections", before.max_connections, after.max_connections);
  lines.compare("shutdown_timeout", before.shutdown_timeout, after.shutdown_timeout);
  lines.compare("watchdog", before.watchdog, after.watchdog);
  lines.compare("max_checks", before.max_checks, after.max_checks);
  lines.compare("log.level", before.log.level, after.log.level);
  lines.compare("log.connections", before.log.connections, after.log.connections);
  lines.compare("admin.http", before.admin.http, after.admin.http);
  lines.compare("admin.socket", before.admin.socket, after.admin.socket);
  lines.match(
      "listener", before.listeners, after.listeners,
      [](const ListenerConfig& listener) {
        return text_of(listener.bind) + " to pool " + listener.pool;
      },
      [&](const auto& was, const auto& is) { diff_listener(was, is, all); });
  lines.match(
      "pool", before.pools, after.pools,
      [](const PoolConfig& pool) {
        const auto count = pool.backends.size();
        return std::to_string(count) + (count == 1 ? " backend" : " backends");
      },
      [&](const auto& was, const auto& is) { diff_pool(was, is, all); });
  return all;
}

}  // namespace holdfast
