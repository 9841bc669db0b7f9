#include "holdfast/config/run_time_changes.h"

#include <algorithm>
#include <cerrno>
#include <nlohmann/json.hpp>
#include <set>
#include <tuple>
#include <unordered_map>

#include "config/rules.h"
#include "config/validate.h"
#include "holdfast/config/suggest.h"

namespace holdfast {
namespace {

using Json = nlohmann::ordered_json;

constexpr unsigned kMostWeight = 1000;

template <class Change>
bool is_of(const Change& change, std::string_view pool, std::string_view name) {
  return change.pool == pool && change.name == name;
}

// Works for constant configurations and others.
auto* find_pool(auto& config, std::string_view name) {
  const auto place = std::ranges::find(config.pools, name, &PoolConfig::name);
  return place == config.pools.end() ? nullptr : &*place;
}

auto* find_backend(auto& pool, std::string_view name) {
  const auto place = std::ranges::find(pool.backends, name, &BackendConfig::name);
  return place == pool.backends.end() ? nullptr : &*place;
}

// The backends of a configuration by pool and name: not a search through thousands for each of
// thousands.
class BackendsByName {
 public:
  explicit BackendsByName(const Config& config) {
    for (const auto& pool : config.pools) {
      auto& backends = pools_[pool.name];
      for (const auto& backend : pool.backends) {
        backends.emplace(backend.name, &backend);
      }
    }
  }

  [[nodiscard]] const BackendConfig* find(std::string_view pool, std::string_view name) const {
    const auto backends = pools_.find(pool);
    if (backends == pools_.end()) {
      return nullptr;
    }
    const auto place = backends->second.find(name);
    return place == backends->second.end() ? nullptr : place->second;
  }

 private:
  std::unordered_map<std::string_view, std::unordered_map<std::string_view, const BackendConfig*>>
      pools_;
};

// All that can be written of a backend. Taken apart into every field it has, so that a new key
// doesn't compile before it is here too.
std::string text_of(const BackendConfig& backend) {
  const auto& [name, address, weight, tier, max_connections, mark, name_mark, address_mark,
               tier_mark, max_connections_mark] = backend;
  return name + " " + address.to_string() + " weight " + std::to_string(weight) + " tier " +
         std::to_string(tier) + " max_connections " + std::to_string(max_connections);
}

Json to_json(const AddedBackend& added) {
  return {
      {"pool", added.pool},     {"name", added.name},   {"address", added.address.to_string()},
      {"weight", added.weight}, {"tier", added.tier},   {"max_connections", added.max_connections},
      {"by", added.origin.by},  {"at", added.origin.at}};
}

Json to_json(const RemovedBackend& removed) {
  return {{"pool", removed.pool},
          {"name", removed.name},
          {"configured", removed.configured},
          {"by", removed.origin.by},
          {"at", removed.origin.at}};
}

// As the file has it or would, but for the name.
auto values_of(const auto& backend) {
  return std::tie(backend.address, backend.weight, backend.tier, backend.max_connections);
}

std::string describe(const auto& backend) {
  return backend.address.to_string() + " with weight " + std::to_string(backend.weight) +
         ", tier " + std::to_string(backend.tier) + " and " +
         (backend.max_connections == 0
              ? "no max_connections"
              : "max_connections " + std::to_string(backend.max_connections));
}

template <class Change>
Json to_json(const std::vector<Change>& changes) {
  auto list = Json::array();
  for (const auto& change : changes) {
    list.push_back(to_json(change));
  }
  return list;
}

ChangeOrigin origin_from(const Json& one) {
  return {.by = one.at("by").get<std::string>(), .at = one.at("at").get<std::int64_t>()};
}

Result<std::vector<AddedBackend>> added_from(const Json& list) {
  std::vector<AddedBackend> added;
  for (const auto& one : list) {
    const auto address = Endpoint::parse(one.at("address").get<std::string>());
    if (!address) {
      return tl::unexpected(address.error());
    }
    added.push_back({.pool = one.at("pool").get<std::string>(),
                     .name = one.at("name").get<std::string>(),
                     .address = *address,
                     .weight = one.at("weight").get<unsigned>(),
                     .tier = one.at("tier").get<unsigned>(),
                     .max_connections = one.at("max_connections").get<unsigned>(),
                     .origin = origin_from(one)});
  }
  return added;
}

std::vector<RemovedBackend> removed_from(const Json& list) {
  std::vector<RemovedBackend> removed;
  for (const auto& one : list) {
    removed.push_back({.pool = one.at("pool").get<std::string>(),
                       .name = one.at("name").get<std::string>(),
                       .configured = one.at("configured").get<std::string>(),
                       .origin = origin_from(one)});
  }
  return removed;
}

tl::unexpected<Error> refuse(int code, std::string message) {
  return tl::unexpected(Error{std::move(message), code});
}

// What the rules say of a configuration that they didn't say of the one before: errors, and
// warnings that have no line, since they are about a backend that isn't in the file.
Diagnostics find_news(const Config& before, const Config& after) {
  Diagnostics known;
  validate(before, known);
  Diagnostics found;
  validate(after, found);
  std::erase_if(found, [&](const Diagnostic& one) {
    return (one.severity == Diagnostic::Severity::warning && one.mark.line != 0) ||
           std::ranges::any_of(known, [&](const auto& old) {
             return old.message == one.message && old.mark.line == one.mark.line;
           });
  });
  return found;
}

// The rules that hold for a backend in the file hold for this one too.
Result<void> judge(const Config& file, const RunTimeChanges& before, const RunTimeChanges& after) {
  const auto news = find_news(with_changes(file, before).config, with_changes(file, after).config);
  if (!news.empty()) {
    const auto& wrong = news.front();
    return refuse(EINVAL, wrong.message + (wrong.help.empty() ? "" : ": " + wrong.help));
  }
  return {};
}

}  // namespace

std::string to_text(const RunTimeChanges& changes) {
  return Json{{"added", to_json(changes.added)}, {"removed", to_json(changes.removed)}}.dump();
}

Result<RunTimeChanges> parse_run_time_changes(std::string_view text) {
  // The library throws where a value is missing or of another kind.
  try {
    const auto json = Json::parse(text);
    auto removed = removed_from(json.at("removed"));
    return added_from(json.at("added")).map([&](std::vector<AddedBackend> added) {
      return RunTimeChanges{std::move(added), std::move(removed)};
    });
  } catch (const Json::exception& error) {
    return fail(std::string("the changes made at run time can't be read: ") + error.what());
  }
}

ChangedConfig with_changes(const Config& file, const RunTimeChanges& changes) {
  ChangedConfig result{.config = file, .changes = {}};
  const BackendsByName in_file(file);
  std::set<std::pair<std::string_view, std::string_view>> gone;
  for (const auto& removed : changes.removed) {
    const auto* backend = in_file.find(removed.pool, removed.name);
    if (backend == nullptr || text_of(*backend) != removed.configured ||
        !gone.emplace(removed.pool, removed.name).second) {
      continue;
    }
    result.changes.removed.push_back(removed);
    result.notes.push_back("pool " + removed.pool + ": backend " + removed.name +
                           " stays removed, by " + removed.origin.by + " at run time");
  }
  std::unordered_map<std::string_view, PoolConfig*> pools;
  for (auto& pool : result.config.pools) {
    pools.emplace(pool.name, &pool);
    std::erase_if(pool.backends, [&](const BackendConfig& backend) {
      return gone.contains({pool.name, backend.name});
    });
  }
  for (const auto& added : changes.added) {
    const auto pool = pools.find(added.pool);
    if (pool == pools.end() || in_file.find(added.pool, added.name) != nullptr) {
      continue;
    }
    BackendConfig backend;
    backend.name = added.name;
    backend.address = added.address;
    backend.weight = added.weight;
    backend.tier = added.tier;
    backend.max_connections = added.max_connections;
    pool->second->backends.push_back(std::move(backend));
    result.changes.added.push_back(added);
    result.notes.push_back("pool " + added.pool + ": backend " + added.name + " stays, added by " +
                           added.origin.by + " at run time");
  }
  return result;
}

Diagnostics diagnose(const Config& file, const ChangedConfig& changed) {
  return changed.changes == RunTimeChanges{} ? Diagnostics{} : find_news(file, changed.config);
}

Error no_such_pool(const Config& config, std::string_view pool) {
  std::vector<std::string_view> names;
  for (const auto& one : config.pools) {
    names.push_back(one.name);
  }
  return {"there is no pool '" + std::string(pool) + "'" +
              (names.empty() ? "" : ": " + suggest(pool, names)),
          ENOENT};
}

Error no_such_backend(const PoolConfig& pool, std::string_view backend) {
  std::vector<std::string_view> names;
  for (const auto& one : pool.backends) {
    names.push_back(one.name);
  }
  return {"there is no backend '" + std::string(backend) + "' in pool '" + pool.name + "'" +
              (names.empty() ? "" : ": " + suggest(backend, names)),
          ENOENT};
}

Result<RunTimeChanges> add_backend(const Config& file, RunTimeChanges changes,
                                   const AddedBackend& backend) {
  const auto* pool = find_pool(file, backend.pool);
  if (pool == nullptr) {
    return tl::unexpected(no_such_pool(file, backend.pool));
  }
  if (backend.weight > kMostWeight) {
    return refuse(EINVAL, "a weight is 0 to 1000");
  }
  if (backend.tier > kMaxTier) {
    return refuse(EINVAL, "a tier is 0 to " + std::to_string(kMaxTier));
  }
  if (backend.max_connections > kMostConnections) {
    return refuse(EINVAL, "max_connections is 1 to " + std::to_string(kMostConnections));
  }
  const auto has_name = [&](const auto& one) { return is_of(one, backend.pool, backend.name); };
  if (const auto* in_file = find_backend(*pool, backend.name)) {
    const auto removed = std::ranges::find_if(changes.removed, has_name);
    const bool is_same = values_of(*in_file) == values_of(backend);
    if (removed == changes.removed.end() && is_same) {
      return changes;  // it may have been taken back already
    }
    if (removed == changes.removed.end()) {
      return refuse(EEXIST, "the configuration file has a backend '" + backend.name +
                                "' in pool '" + backend.pool + "': give it another name");
    }
    if (!is_same) {
      return refuse(EEXIST, "the configuration file has '" + backend.name + "' at " +
                                describe(*in_file) +
                                ": add it as that, change the file and reload, or give it "
                                "another name");
    }
    changes.removed.erase(removed);
    return changes;
  }
  const auto known = std::ranges::find_if(changes.added, has_name);
  if (known != changes.added.end()) {
    // Whoever asks twice, because the answer to the first was lost, gets what he wants.
    if (values_of(*known) == values_of(backend)) {
      return changes;
    }
    return refuse(EEXIST, "'" + backend.name + "' was added already, at " + describe(*known) +
                              ": remove it first, or give this one another name");
  }
  Diagnostics name;
  check_name(backend.name, Mark{.line = 1, .column = 1}, name);
  if (!name.empty()) {
    return refuse(EINVAL, name.front().message + ": " + name.front().help);
  }
  const auto before = changes;
  changes.added.push_back(backend);
  if (auto judged = judge(file, before, changes); !judged) {
    return tl::unexpected(judged.error());
  }
  return changes;
}

Result<RunTimeChanges> remove_backend(const Config& file, RunTimeChanges changes,
                                      const std::string& pool, const std::string& name,
                                      const ChangeOrigin& origin) {
  const auto has_name = [&](const auto& one) { return is_of(one, pool, name); };
  const auto* in_file = find_pool(file, pool);
  if (in_file == nullptr) {
    return tl::unexpected(no_such_pool(file, pool));
  }
  if (std::ranges::any_of(changes.removed, has_name)) {
    return changes;  // already
  }
  if (std::erase_if(changes.added, has_name) > 0) {
    return changes;
  }
  const auto* backend = find_backend(*in_file, name);
  if (backend == nullptr) {
    const auto in_force = with_changes(file, changes).config;
    return tl::unexpected(no_such_backend(*find_pool(in_force, pool), name));
  }
  changes.removed.push_back(
      {.pool = pool, .name = name, .configured = text_of(*backend), .origin = origin});
  return changes;
}

}  // namespace holdfast
