#include "cli/backend_commands.h"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "cli/backend_operations.h"

namespace holdfast::cli {
namespace {

// "60s", "5m": as in the configuration file.
auto as_duration() {
  return CLI::AsNumberWithUnit(
      std::map<std::string, std::int64_t>{{"ms", 1}, {"s", 1000}, {"m", 60'000}, {"h", 3'600'000}},
      static_cast<CLI::AsNumberWithUnit::Options>(CLI::AsNumberWithUnit::CASE_SENSITIVE |
                                                  CLI::AsNumberWithUnit::UNIT_REQUIRED));
}

// What can be part of a path; the instance judges the rest.
bool is_name(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char letter) {
    return std::isalnum(static_cast<unsigned char>(letter)) != 0 || letter == '.' ||
           letter == '_' || letter == '-';
  });
}

std::string judge_backend(const std::string& text) {
  const std::string_view all = text;
  const auto slash = all.find('/');
  const bool is_one = slash != std::string_view::npos && is_name(all.substr(0, slash)) &&
                      is_name(all.substr(slash + 1));
  return is_one ? "" : "'" + text + "' is not POOL/BACKEND, as in web/web-2";
}

std::string judge_name(const std::string& text) {
  return is_name(text) ? "" : "'" + text + "' is no name: letters, digits, '.', '_' and '-'";
}

// In milliseconds by now. The instance judges those that it is told of.
std::string judge_time(const std::string& text) {
  constexpr std::int64_t kMost = 24 * 3'600'000;
  std::int64_t time = 0;
  const auto* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, time);
  const bool is_time = error == std::errc() && stop == end && time >= 0 && time <= kMost;
  return is_time ? "" : "a time is 0s to 24h";
}

// Decimal, and not by CLI::Range: "010" would be 8.
CLI::Validator whole_number(unsigned least, unsigned most) {
  return {[least, most](const std::string& text) -> std::string {
            unsigned number = 0;
            const auto* end = text.data() + text.size();
            const auto [stop, error] = std::from_chars(text.data(), end, number);
            const bool is_one = error == std::errc() && stop == end &&
                                (text.size() == 1 || text[0] != '0') && number >= least &&
                                number <= most;
            return is_one ? ""
                          : "'" + text + "' is no whole number from " + std::to_string(least) +
                                " to " + std::to_string(most);
          },
          ""};
}

CLI::App* add_command(CLI::App& app, const char* name, const char* help,
                      const std::shared_ptr<OperationOptions>& options) {
  auto* command = app.add_subcommand(name, help);
  command->add_option("--socket", options->socket, "control socket of the instance")
      ->capture_default_str();
  return command;
}

void add_target(CLI::App* command, const std::shared_ptr<OperationOptions>& options) {
  command->add_option("backend", options->target, "the backend, as POOL/BACKEND")
      ->required()
      ->check(CLI::Validator(judge_backend, ""));
}

}  // namespace

void add_backend_commands(CLI::App& app, std::function<int()>& chosen) {
  const auto options = std::make_shared<OperationOptions>();
  const auto choose = [&chosen, options](CLI::App* command, auto work) {
    command->callback(
        [&chosen, options, work] { chosen = [options, work] { return work(*options); }; });
  };

  auto* backends = add_command(app, "backends", "Show the backends of a running instance", options);
  backends->add_option("-o,--output", options->output, "table or json")
      ->check(CLI::IsMember({"table", "json"}))
      ->capture_default_str();
  choose(backends, show_backends);

  for (const auto& [name, help] :
       {std::pair("drain", "Give a backend no new connections; those it has go on"),
        std::pair("maint", "Drain a backend and stop its checks")}) {
    auto* command = add_command(app, name, help, options);
    add_target(command, options);
    command
        ->add_option("--wait", options->wait_ms,
                     "wait so long until it has no connections, as in 60s")
        ->transform(as_duration())
        ->check(CLI::Validator(judge_time, ""));
    command
        ->add_option("--close-after", options->close_after_ms,
                     "close what connections are left then, spread over time, as in 5m")
        ->transform(as_duration());
    command->add_option("--spread", options->spread_ms, "over so much time")
        ->transform(as_duration());
    choose(command, [verb = std::string(name)](const OperationOptions& given) {
      return drain_backend(verb, given);
    });
  }

  auto* ready = add_command(app, "ready", "Give a backend connections again", options);
  add_target(ready, options);
  choose(ready, ready_backend);

  auto* weight = add_command(app, "weight", "Set a backend's weight", options);
  add_target(weight, options);
  weight->add_option("weight", options->weight, "0 to 1000; 0: no new connections")
      ->required()
      ->check(whole_number(0, 1000));
  choose(weight, weigh_backend);

  auto* add = add_command(app, "add", "Add a backend to a pool", options);
  add->add_option("pool", options->pool, "the pool")
      ->required()
      ->check(CLI::Validator(judge_name, ""));
  add->add_option("name", options->name, "what the backend is to be called")
      ->required()
      ->check(CLI::Validator(judge_name, ""));
  add->add_option("address", options->address, "host:port, \"[ipv6]:port\" or unix:/path")
      ->required();
  add->add_option("--weight", options->weight, "0 to 1000")
      ->check(whole_number(0, 1000))
      ->capture_default_str();
  add->add_option("--tier", options->tier, "0 to 15: used when those below haven't enough left")
      ->check(whole_number(0, kMaxTier))
      ->capture_default_str();
  add->add_option("--max-connections", options->max_connections,
                  "1 to 10000000 at a time; without it, no limit")
      ->check(whole_number(1, kMostConnections));
  choose(add, add_backend);

  auto* remove = add_command(app, "remove", "Take a backend out of its pool", options);
  add_target(remove, options);
  choose(remove, remove_backend);
}

}  // namespace holdfast::cli
