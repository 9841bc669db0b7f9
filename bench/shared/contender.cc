#include "shared/contender.h"

#include <unistd.h>

#include <algorithm>
#include <cstdio>

#include "cli/line_reader.h"

namespace holdfast::bench {
namespace {

using namespace std::chrono_literals;
using cli::ChildProcess;
using Command = ChildProcess::Command;
using std::filesystem::path;

constexpr const char* kNginxStreamModule = "/usr/lib/nginx/modules/ngx_stream_module.so";

std::string configure_holdfast(const Site& site) {
  std::string text = "log: { connections: none }\nadmin: { http: \"off\"";
  if (site.control_socket) {
    text += ", socket: \"" + site.socket().string() + "\"";
  }
  text += " }\nlisteners:\n";
  for (const auto& service : site.services) {
    text += "  - { name: " + service.name + ", bind: \"" + service.listen +
            "\", pool: " + service.name + " }\n";
  }
  text += "pools:\n";
  for (const auto& service : site.services) {
    const auto attempts = std::min<std::size_t>(3, service.backends.size());
    text += "  - name: " + service.name +
            "\n    connect: { timeout: " + std::to_string(site.connect_timeout) +
            "s, attempts: " + std::to_string(attempts) + R"( }
    health: { type: tcp, interval: 200ms, timeout: 200ms, rise: 2, fall: 2 }
    backends:
)";
    for (const auto& backend : service.backends) {
      text += "      - { name: " + backend.name + ", address: \"" + backend.address + "\" }\n";
    }
  }
  return text;
}

// Without a connection log, as nothing else here writes one. `redispatch 1`: every retry goes to
// another server instead of the last one only.
std::string configure_haproxy(const Site& site) {
  std::string text = R"(global
  maxconn 4000
defaults
  mode tcp
  timeout connect )" +
                     std::to_string(site.connect_timeout) + R"(s
  timeout client 1h
  timeout server 1h
  timeout check 200ms
  retries 3
  option redispatch 1
  option splice-auto
  default-server check inter 200ms rise 2 fall 2
)";
  for (const auto& service : site.services) {
    text += "listen " + service.name + "\n  balance roundrobin\n  bind " + service.listen + "\n";
    for (const auto& backend : service.backends) {
      text += "  server " + backend.name + " " + backend.address + "\n";
    }
  }
  return text;
}

// The open-source nginx has no active checks: a failed connect is what it learns from. max_fails
// and fail_timeout are the documented defaults, written out; the zone lets the workers share what
// they learn.
std::string configure_nginx(const Site& site) {
  std::string text = site.mode == Site::Mode::service ? "daemon on" : "daemon off";
  text += ";\nworker_processes auto;\nload_module " + std::string(kNginxStreamModule) + ";\npid " +
          site.pid_file().string() +
          ";\nerror_log stderr crit;\nevents { worker_connections 16384; }\nstream {\n";
  for (const auto& service : site.services) {
    text += "  upstream " + service.name + " {\n    zone " + service.name + " 64k;\n";
    for (const auto& backend : service.backends) {
      text += "    server " + backend.address + " max_fails=1 fail_timeout=10s;\n";
    }
    text += "  }\n  server {\n    listen " + service.listen + ";\n    proxy_connect_timeout " +
            std::to_string(site.connect_timeout) + R"(s;
    proxy_timeout 1h;
    proxy_next_upstream on;
    proxy_next_upstream_tries 3;
    proxy_pass )" +
            service.name + ";\n  }\n";
  }
  return text + "}\n";
}

Command with_messages(std::vector<std::string> arguments) {
  return {.arguments = std::move(arguments), .errors = ChildProcess::Stream::piped};
}

Command run_holdfast(const std::string& program, const path& configuration, Site::Mode) {
  return with_messages({program, "run", "-c", configuration});
}

// A master stays in the foreground unless told to be a daemon.
Command run_haproxy(const std::string& program, const path& configuration, Site::Mode mode) {
  return with_messages({program, mode == Site::Mode::service ? "-W" : "-db", "-f", configuration});
}

// Its workers leave when the master tells them to, and would outlive a master that is killed.
Command run_nginx(const std::string& program, const path& configuration, Site::Mode) {
  return with_messages({program, "-e", "stderr", "-c", configuration});
}

// The first line a program writes when asked for its version.
std::optional<std::string> ask_version(const std::string& program, const std::string& option) {
  auto child = ChildProcess::start({.arguments = {program, option},
                                    .output = ChildProcess::Stream::piped,
                                    .errors = ChildProcess::Stream::piped});
  if (!child) {
    return std::nullopt;
  }
  cli::LineReader output((*child)->take_output());
  cli::LineReader errors((*child)->take_errors());
  auto line = output.wait(5s);
  return line ? line : errors.wait(5s);
}

void add_if_installed(std::vector<Contender>& contenders, Contender contender,
                      const std::string& version_option, const char* needed_file = nullptr) {
  const bool complete = needed_file == nullptr || ::access(needed_file, R_OK) == 0;
  const auto version = ask_version(contender.program, version_option);
  if (!complete || !version) {
    std::fprintf(stderr, "%s is left out: %s is not there\n", contender.name.c_str(),
                 version ? needed_file : contender.program.c_str());
    return;
  }
  contender.version = *version;
  contenders.push_back(std::move(contender));
}

}  // namespace

std::vector<Contender> find_contenders(const std::string& holdfast_program) {
  std::vector<Contender> contenders;
  add_if_installed(contenders, {"holdfast", holdfast_program, "", configure_holdfast, run_holdfast},
                   "version");
  add_if_installed(contenders, {"HAProxy", "/usr/sbin/haproxy", "", configure_haproxy, run_haproxy},
                   "-v");
  // A USR2 is heeded only by a master whose parent is gone, which is what daemonizing is for.
  add_if_installed(contenders, {"nginx", "/usr/sbin/nginx", "", configure_nginx, run_nginx, true},
                   "-v", kNginxStreamModule);
  return contenders;
}

}  // namespace holdfast::bench
