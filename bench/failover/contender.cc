#include "failover/contender.h"

#include <unistd.h>

#include <cstdio>

#include "cli/line_reader.h"

namespace holdfast::bench {
namespace {

using namespace std::chrono_literals;
using cli::ChildProcess;
using Command = ChildProcess::Command;
using std::filesystem::path;

constexpr const char* kNginxStreamModule = "/usr/lib/nginx/modules/ngx_stream_module.so";

std::string configure_holdfast(const std::string& listen, const std::vector<Backend>& backends,
                               const path&) {
  std::string text = R"(admin: { http: "off" }
log: { connections: none }
listeners:
  - { name: web, bind: ")" +
                     listen + R"(", pool: web }
pools:
  - name: web
    connect: { timeout: 1s, attempts: 3 }
    health: { type: tcp, interval: 200ms, timeout: 200ms, rise: 2, fall: 2 }
    backends:
)";
  for (const auto& backend : backends) {
    text += "      - { name: " + backend.name + ", address: \"" + backend.address + "\" }\n";
  }
  return text;
}

// Without a connection log, as nothing else here writes one. `redispatch 1`: every retry goes to
// another server instead of the last one only.
std::string configure_haproxy(const std::string& listen, const std::vector<Backend>& backends,
                              const path&) {
  std::string text = R"(global
  maxconn 4000
defaults
  mode tcp
  timeout connect 1s
  timeout client 30s
  timeout server 30s
  timeout check 200ms
  retries 3
  option redispatch 1
  option splice-auto
  default-server check inter 200ms rise 2 fall 2
listen web
  balance roundrobin
  bind )" + listen + "\n";
  for (const auto& backend : backends) {
    text += "  server " + backend.name + " " + backend.address + "\n";
  }
  return text;
}

// The open-source nginx has no active checks: a failed connect is what it learns from. max_fails
// and fail_timeout are the documented defaults, written out; the zone lets the workers share what
// they learn.
std::string configure_nginx(const std::string& listen, const std::vector<Backend>& backends,
                            const path& directory) {
  std::string text = "daemon off;\nworker_processes auto;\nload_module " +
                     std::string(kNginxStreamModule) + ";\npid " +
                     (directory / "nginx.pid").string() +
                     R"(;
error_log stderr crit;
events { worker_connections 4096; }
stream {
  upstream web {
    zone web 64k;
)";
  for (const auto& backend : backends) {
    text += "    server " + backend.address + " max_fails=1 fail_timeout=10s;\n";
  }
  text += R"(  }
  server {
    listen )" +
          listen + R"(;
    proxy_connect_timeout 1s;
    proxy_timeout 30s;
    proxy_next_upstream on;
    proxy_next_upstream_tries 3;
    proxy_pass web;
  }
}
)";
  return text;
}

Command in_foreground(std::vector<std::string> arguments) {
  return {.arguments = std::move(arguments), .errors = ChildProcess::Stream::piped};
}

Command run_holdfast(const std::string& program, const path& configuration) {
  return in_foreground({program, "run", "-c", configuration});
}

Command run_haproxy(const std::string& program, const path& configuration) {
  return in_foreground({program, "-db", "-f", configuration});
}

// Its workers leave when the master tells them to, and would outlive a master that is killed.
Command run_nginx(const std::string& program, const path& configuration) {
  return in_foreground({program, "-e", "stderr", "-c", configuration});
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
  add_if_installed(contenders, {"nginx", "/usr/sbin/nginx", "", configure_nginx, run_nginx}, "-v",
                   kNginxStreamModule);
  return contenders;
}

}  // namespace holdfast::bench
