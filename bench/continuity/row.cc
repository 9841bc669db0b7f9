#include "continuity/row.h"

#include <algorithm>
#include <csignal>
#include <sstream>
#include <thread>

#include "continuity/wait_for.h"
#include "shared/command.h"

namespace holdfast::bench {
namespace {

using namespace std::chrono_literals;

constexpr auto kChangeLimit = 10s;
constexpr auto kRestartDelay = 100ms;  // RestartSec= of systemd.service(5), when nothing is said

Result<pid_t> find_worker(const Balancer& balancer) {
  const auto workers = balancer.processes().children_of(balancer.main_pid());
  if (workers.empty()) {
    return fail("no worker is there");
  }
  return workers.front();
}

template <int number>
Result<void> signal_worker(Balancer& balancer) {
  return find_worker(balancer).map([](pid_t worker) { ::kill(worker, number); });
}

template <int number>
Result<void> signal_main(Balancer& balancer) {
  ::kill(balancer.main_pid(), number);
  return {};
}

Result<void> do_nothing(Balancer&) {
  return {};
}

// Writes it anew, with another connect timeout.
void change_configuration(Balancer& balancer) {
  auto changed = balancer.site();
  changed.connect_timeout += 1;
  balancer.write_configuration(changed);
}

Result<void> reload_holdfast(Balancer& balancer) {
  change_configuration(balancer);
  return run_command(
      {balancer.contender().program, "reload", "--socket", balancer.site().socket()});
}

Result<void> upgrade_holdfast(Balancer& balancer) {
  const auto& program = balancer.contender().program;
  std::filesystem::rename(next_build(balancer.site()), program);
  return run_command({program, "upgrade", "--socket", balancer.site().socket()});
}

Result<void> reload_haproxy(Balancer& balancer) {
  change_configuration(balancer);
  return signal_main<SIGUSR2>(balancer);
}

// Its master ends with its worker, and the distribution's unit has Restart=always.
Result<void> kill_haproxy_worker(Balancer& balancer) {
  if (auto killed = signal_worker<SIGKILL>(balancer); !killed) {
    return killed;
  }
  if (!balancer.wait_for_end(kChangeLimit)) {
    return fail("the master goes on");
  }
  std::this_thread::sleep_for(kRestartDelay);
  return balancer.start_again();
}

Result<void> reload_nginx(Balancer& balancer) {
  change_configuration(balancer);
  return signal_main<SIGHUP>(balancer);
}

// As nginx's "Controlling nginx" has it: USR2 starts the new binary, WINCH ends the old workers in
// order, QUIT the old master.
Result<void> upgrade_nginx(Balancer& balancer) {
  const auto old_main = balancer.main_pid();
  ::kill(old_main, SIGUSR2);
  const bool started = wait_for(
      [&] {
        const auto main = balancer.main_pid();
        return main > 0 && main != old_main && !balancer.processes().children_of(main).empty();
      },
      kChangeLimit);
  if (!started) {
    return fail("no new master is there");
  }
  ::kill(old_main, SIGWINCH);
  ::kill(old_main, SIGQUIT);
  return {};
}

}  // namespace

const std::vector<Row>& all_rows() {
  static const std::vector<Row> rows{
      {"nothing", "holdfast", "nothing", do_nothing},
      {"worker_killed", "holdfast", "worker killed (SIGKILL)", signal_worker<SIGKILL>},
      {"worker_killed_1000", "holdfast", "the same, 1,000 idle", signal_worker<SIGKILL>, false,
       1000},
      {"worker_killed_4000", "holdfast", "the same, 4,000 idle", signal_worker<SIGKILL>, false,
       4000},
      {"worker_crashed", "holdfast", "worker crashes (SIGSEGV)", signal_worker<SIGSEGV>},
      {"worker_stopped", "holdfast", "worker stands still (SIGSTOP)", signal_worker<SIGSTOP>},
      {"reload", "holdfast", "reload", reload_holdfast, true},
      {"upgrade", "holdfast", "upgrade", upgrade_holdfast, true},
      {"guardian_killed", "holdfast", "guardian killed (SIGKILL)", signal_main<SIGKILL>},
      {"haproxy_nothing", "HAProxy", "nothing", do_nothing},
      {"haproxy_reload", "HAProxy", "reload (SIGUSR2)", reload_haproxy},
      {"haproxy_worker_killed", "HAProxy", "worker killed (SIGKILL)", kill_haproxy_worker},
      {"nginx_nothing", "nginx", "nothing", do_nothing},
      {"nginx_reload", "nginx", "reload (SIGHUP)", reload_nginx},
      {"nginx_worker_killed", "nginx", "one worker killed (SIGKILL)", signal_worker<SIGKILL>},
      {"nginx_upgrade", "nginx", "upgrade (USR2, WINCH, QUIT)", upgrade_nginx},
  };
  return rows;
}

Result<std::vector<Row>> choose_rows(const std::string& keys) {
  if (keys.empty()) {
    return all_rows();
  }
  std::vector<Row> chosen;
  std::istringstream stream(keys);
  for (std::string key; std::getline(stream, key, ',');) {
    const auto row = std::find_if(all_rows().begin(), all_rows().end(),
                                  [&](const Row& each) { return each.key == key; });
    if (row == all_rows().end()) {
      return fail("there is no row " + key);
    }
    chosen.push_back(*row);
  }
  return chosen;
}

std::filesystem::path next_build(const Site& site) {
  return site.directory / "holdfast.next";
}

}  // namespace holdfast::bench
