#include <CLI/CLI.hpp>
#include <functional>

#include "cli/backend_commands.h"
#include "cli/commands.h"
#include "cli/standard_streams.h"
#include "cli/usage.h"

// The command line and nothing else: which subcommand, with which options. The work is in the
// file of the same name.
int main(int argc, char** argv) {
  using namespace holdfast;
  cli::open_standard_streams();

  CLI::App app("holdfast, a TCP load balancer whose connections outlive what fails");
  app.require_subcommand(1);
  app.set_version_flag("--version", cli::version_text(), "Print the version and exit");
  app.footer(
      "Exit codes: 0 fine, 1 the configuration is invalid or the work failed, 2 usage, 3 no\n"
      "instance answers.");
  app.failure_message(cli::usage_message);
  std::function<int()> chosen;

  cli::RunOptions run;
  auto* run_command = app.add_subcommand("run", "Balance, as the configuration file says");
  run_command->add_option("-c,--config", run.config_file, "configuration file")->required();
  run_command->add_flag("--no-guardian{false}", run.guardian,
                        "run the worker alone, for debuggers: if it dies, so does all");
  run_command->add_option("--take-over", run.take_over)->group("");  // said by itself only
  run_command->callback([&] { chosen = [&] { return cli::run(run); }; });

  cli::CheckOptions check;
  auto* check_command = app.add_subcommand("check", "Judge a configuration file and do nothing");
  check_command->add_option("-c,--config", check.config_file, "configuration file")->required();
  check_command->callback([&] { chosen = [&] { return cli::check(check); }; });

  cli::ControlOptions control;
  const auto add_control = [&](const char* name, const char* help,
                               int (*work)(const cli::ControlOptions&)) {
    auto* command = app.add_subcommand(name, help);
    command->add_option("--socket", control.socket, "control socket of the instance")
        ->capture_default_str();
    command->callback([&, work] { chosen = [&, work] { return work(control); }; });
  };
  add_control("reload", "Have a running instance put its configuration file in force", cli::reload);
  add_control("upgrade", "Have a running instance go on as what its program file is now",
              cli::upgrade);

  cli::add_backend_commands(app, chosen);

  cli::RehearseOptions rehearse;
  auto* rehearse_command = app.add_subcommand("rehearse")->group("");
  rehearse_command->add_option("--region", rehearse.region)->required();
  rehearse_command->add_option("--config", rehearse.config)->required();
  rehearse_command->callback([&] { chosen = [&] { return cli::rehearse(rehearse); }; });

  cli::LeaveOptions leave;
  auto* leave_command = app.add_subcommand("leave")->group("");
  leave_command->add_option("--main-pid", leave.main_pid)->required()->check(CLI::PositiveNumber);
  leave_command->callback([&] { chosen = [&] { return cli::leave(leave); }; });

  cli::DemoOptions demo;
  auto* demo_command = app.add_subcommand(
      "demo", "See a backend and the balancer itself die without a request failing");
  demo_command->add_option("--duration", demo.duration, "how long it runs, as in 30s")
      ->transform(
          CLI::AsNumberWithUnit(std::map<std::string, int>{{"ms", 1}, {"s", 1000}, {"m", 60000}},
                                CLI::AsNumberWithUnit::CASE_SENSITIVE))
      ->capture_default_str();
  demo_command->add_option("--rate", demo.rate, "requests a second")
      ->check(CLI::Range(1.0, 20000.0))
      ->capture_default_str();
  demo_command->add_flag("--keep", demo.keep, "stay up afterwards and print the addresses");
  demo_command->callback([&] { chosen = [&] { return cli::demo(demo); }; });

  cli::InstanceOptions instance;
  auto* instance_command =
      app.add_subcommand("instance", "A small HTTP service that says its name, to try things on");
  instance_command->add_option("--listen", instance.listen, "host:port, port 0 for any free one")
      ->capture_default_str();
  instance_command->add_option("--name", instance.name, "what it calls itself")
      ->capture_default_str();
  instance_command->callback([&] { chosen = [&] { return cli::instance(instance); }; });

  app.add_subcommand("version", "Print the version")->callback([&] {
    chosen = [] { return cli::version(); };
  });

  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? cli::kFine : cli::kUsage;
  }
  return chosen();
}
