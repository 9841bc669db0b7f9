#include "admin/backends.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <vector>

#include "admin/json_response.h"
#include "holdfast/config/suggest.h"

namespace holdfast::admin {
namespace {

using Kind = worker::BackendChange::Kind;

constexpr std::string_view kPath = "/api/v1/backends";

struct Verb {
  std::string_view name;
  Kind kind;
  std::vector<std::string_view> keys;  // of its body, besides "by"
};

const std::vector<Verb>& verbs() {
  static const std::vector<Verb> all = {
      {"ready", Kind::ready, {}},
      {"drain", Kind::drain, {"close_after_ms", "spread_ms"}},
      {"maint", Kind::maint, {"close_after_ms", "spread_ms"}},
      {"weight", Kind::weight, {"weight"}},
      {"add", Kind::add, {"address", "weight", "tier", "max_connections"}},
      {"remove", Kind::remove, {}},
  };
  return all;
}

// The parts of the path after /api/v1/backends.
std::vector<std::string_view> parts_of(std::string_view path) {
  std::vector<std::string_view> parts;
  path.remove_prefix(kPath.size());
  while (!path.empty()) {
    path.remove_prefix(1);  // the slash
    const auto part = path.substr(0, path.find('/'));
    parts.push_back(part);
    path.remove_prefix(part.size());
  }
  return parts;
}

Response refuse(unsigned status, const std::string& reason) {
  return json({{"result", "refused"}, {"reason", reason}}, status);
}

Json to_json(const state::ClosingRecord& closing) {
  if (!closing.is_set()) {
    return nullptr;
  }
  const auto left =
      static_cast<std::int64_t>(closing.begins_at.get()) - to_nanoseconds(Clock::now());
  return {{"in_ms", std::max<std::int64_t>(left, 0) / 1'000'000},
          {"spread_ms", closing.spread.get() / 1'000'000}};
}

// How long it is out for yet: 0 once a check, or a connection on trial, may take it back in.
Json to_json(const state::EjectionRecord& ejection) {
  const auto state = ejection.current();
  if (state == state::EjectionState::none) {
    return nullptr;
  }
  const auto left = static_cast<std::int64_t>(ejection.until.get()) - to_nanoseconds(Clock::now());
  const bool is_out = state == state::EjectionState::ejected && left > 0;
  return {{"left_ms", is_out ? left / 1'000'000 : 0}, {"times", ejection.times.get()}};
}

Json to_json(const state::AgentRecord& agent) {
  const auto state = agent.current_state();
  if (state == state::AgentState::ready && agent.percent() == 100) {
    return nullptr;
  }
  return {{"state", to_string(state)}, {"weight_percent", agent.percent()}};
}

// Names and addresses don't change meanwhile.
Json to_json(const state::SharedState& shared, const state::BackendEntry& entry) {
  const auto& admin = entry.admin;
  const bool is_removed = entry.retired.get() != 0;
  const bool was_set = admin.set_at.get() != 0;
  return {{"pool", state::to_view(shared.pools[entry.pool].name)},
          {"name", state::to_view(entry.name)},
          {"address", entry.address.size() == 0 ? Json() : Json(entry.address.to_string())},
          {"health", to_string(entry.current_health())},
          {"state", is_removed ? "removed" : to_string(admin.current_state())},
          {"set_by", was_set ? Json(state::to_view(admin.set_by)) : Json()},
          {"set_at_ms", was_set ? Json(admin.set_at.get()) : Json()},
          {"tier", entry.tier.get()},
          {"weight", entry.weight.get()},
          {"configured_weight", admin.configured_weight.get()},
          {"connections", entry.active.get()},
          {"max_connections", entry.max_connections.get()},
          {"ejected", to_json(entry.ejection)},
          {"agent", to_json(entry.agent)},
          {"closing", to_json(admin.closing)}};
}

bool is_listed(const state::SharedState& shared, const state::BackendEntry& entry) {
  // A name that a reload under way has claimed isn't in force yet, one that is gone has nothing.
  return entry.name[0] != '\0' && entry.pool < shared.pools.size() &&
         (entry.retired.get() == 0 || entry.active.get() > 0);
}

Response list(const Subject& subject) {
  const std::lock_guard lock(subject.entries);
  const auto& shared = subject.shared;
  auto backends = Json::array();
  for (const auto& entry : state::first_touched(shared.backends, shared.backends_touched)) {
    if (is_listed(shared, entry)) {
      backends.push_back(to_json(shared, entry));
    }
  }
  return json({{"backends", backends}});
}

Response one(const Subject& subject, std::string_view pool, std::string_view name) {
  const std::lock_guard lock(subject.entries);
  const auto& shared = subject.shared;
  std::vector<std::string> known;
  for (const auto& entry : state::first_touched(shared.backends, shared.backends_touched)) {
    if (!is_listed(shared, entry)) {
      continue;
    }
    const auto its_pool = state::to_view(shared.pools[entry.pool].name);
    if (its_pool == pool && state::to_view(entry.name) == name) {
      return json(to_json(shared, entry));
    }
    known.push_back(std::string(its_pool) + "/" + std::string(state::to_view(entry.name)));
  }
  const auto asked = std::string(pool) + "/" + std::string(name);
  const std::vector<std::string_view> names(known.begin(), known.end());
  return refuse(404, "there is no backend '" + asked + "'" +
                         (names.empty() ? "" : ": " + suggest(asked, names)));
}

// What is wrong with a value; empty when nothing is.
std::string read(const std::string& key, const Json& value, worker::BackendChange& change) {
  if (key == "by" || key == "address") {
    if (!value.is_string()) {
      return "'" + key + "' must be a text";
    }
    (key == "by" ? change.by : change.address) = value.get<std::string>();
    return "";
  }
  if (!value.is_number_unsigned()) {
    return "'" + key + "' must be a whole number, 0 or more";
  }
  // Above what anybody may ask for, and below what overflows.
  const auto number = std::min<std::uint64_t>(value.get<std::uint64_t>(), 1'000'000'000);
  if (key == "weight") {
    change.weight = static_cast<unsigned>(number);
  } else if (key == "tier") {
    change.tier = static_cast<unsigned>(number);
  } else if (key == "max_connections") {
    change.max_connections = static_cast<unsigned>(number);
  } else {
    (key == "spread_ms" ? change.spread : change.close_after) = std::chrono::milliseconds(number);
  }
  return "";
}

Response change(const Request& request, const Subject& subject, const Verb& verb,
                std::string_view pool, std::string_view backend) {
  worker::BackendChange change{
      .kind = verb.kind, .pool = std::string(pool), .backend = std::string(backend)};
  const auto body = Json::parse(request.body.empty() ? "{}" : request.body, nullptr, false);
  if (!body.is_object()) {
    return refuse(422, "the body must be a JSON object");
  }
  for (const auto& [key, value] : body.items()) {
    auto known = verb.keys;
    known.emplace_back("by");
    if (std::ranges::find(known, key) == known.end()) {
      return refuse(422, "unknown key '" + key + "': " + suggest(key, known));
    }
    if (const auto wrong = read(key, value, change); !wrong.empty()) {
      return refuse(422, wrong);
    }
  }
  const std::string_view needed = verb.kind == Kind::weight ? "weight" : "address";
  if ((verb.kind == Kind::weight || verb.kind == Kind::add) && !body.contains(needed)) {
    return refuse(422, "'" + std::string(needed) + "' is missing");
  }
  const auto result = subject.operations.change(change);
  if (!result) {
    return refuse(503, "not now: holdfast is starting, stopping or changing its worker");
  }
  if (*result) {
    return json({{"result", "done"}, {"changes", **result}});
  }
  switch (result->error().code) {
    case ENOENT:
      return refuse(404, result->error().message);
    case EEXIST:
      return refuse(409, result->error().message);
    case EAGAIN:
      return refuse(503, result->error().message);
    default:  // errno is the kernel's list, not ours
      return refuse(422, result->error().message);
  }
}

}  // namespace

bool is_about_backends(std::string_view path) {
  return path == kPath ||
         (path.starts_with(kPath) && path.size() > kPath.size() && path[kPath.size()] == '/');
}

Response route_backends(const Request& request, const Subject& subject) {
  const auto parts = parts_of(request.path);
  const bool reads = request.method == "GET" || request.method == "HEAD";
  if (parts.empty() || parts.size() == 2) {
    if (!reads) {
      return {.status = 405, .body = "only GET and HEAD\n"};
    }
    return parts.empty() ? list(subject) : one(subject, parts[0], parts[1]);
  }
  if (parts.size() != 3) {
    return refuse(404, "a backend is /api/v1/backends/POOL/BACKEND");
  }
  std::vector<std::string_view> names;
  for (const auto& verb : verbs()) {
    names.push_back(verb.name);
  }
  const auto verb = std::ranges::find(verbs(), parts[2], &Verb::name);
  if (verb == verbs().end()) {
    return refuse(404, "a backend can't be told '" + std::string(parts[2]) +
                           "': " + suggest(parts[2], names));
  }
  if (!request.may_change) {
    return {.status = 403, .body = "only over the control socket (admin.socket)\n"};
  }
  if (request.method != "POST") {
    return {.status = 405, .body = "only POST\n"};
  }
  return change(request, subject, *verb, parts[0], parts[1]);
}

}  // namespace holdfast::admin
