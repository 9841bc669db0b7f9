#include "shared/configurations.h"

#include <algorithm>

namespace holdfast::bench {

// Passive ejection and raced connects are on, as nothing is said against it.
std::string configure_holdfast(const Site& site) {
  // Never the default's, which another instance on this machine may have.
  const auto socket = site.control_socket ? site.socket().string() : "off";
  auto text = "log: { connections: none }\nadmin: { http: \"off\", socket: \"" + socket +
              "\" }\nlisteners:\n";
  for (const auto& service : site.services) {
    text += "  - { name: " + service.name + ", bind: \"" + service.listen +
            "\", pool: " + service.name + " }\n";
  }
  text += "pools:\n";
  for (const auto& service : site.services) {
    const auto attempts = std::min<std::size_t>(3, service.backends.size());
    text += "  - name: " + service.name +
            "\n    connect: { timeout: " + std::to_string(site.connect_timeout) +
            "s, attempts: " + std::to_string(attempts) + " }\n";
    text += site.quick_checks
                ? "    health: { type: tcp, interval: 200ms, timeout: 200ms, rise: 2, fall: 2 }\n"
                : "    health: { type: tcp, interval: 2s, fast_interval: 200ms, timeout: 1s, "
                  "rise: 2, fall: 3 }\n";
    text += site.replay ? "    replay: { up_to: 16KiB }\n" : "";
    text += "    backends:\n";
    for (const auto& backend : service.backends) {
      text += "      - { name: " + backend.name + ", address: \"" + backend.address + "\" }\n";
    }
  }
  return text;
}

// Without a connection log, as nothing else here writes one. `redispatch 1`: every retry goes to
// another server instead of the last one only. A server that is marked down by `observe` comes
// back by its checks.
std::string configure_haproxy(const Site& site) {
  std::string text = "global\n  maxconn 4000\n";
  if (site.control_socket) {
    text += "  stats socket " + site.socket().string() + " mode 600 level admin\n";
  }
  text += "defaults\n  mode tcp\n  timeout connect " + std::to_string(site.connect_timeout) +
          R"(s
  timeout client 1h
  timeout server 1h
  retries 3
  option redispatch 1
  option splice-auto
)";
  text += site.quick_checks
              ? "  timeout check 200ms\n  default-server check inter 200ms rise 2 fall 2\n"
              : "  timeout check 1s\n  default-server check inter 2s fastinter 200ms rise 2 fall 3 "
                "observe layer4 error-limit 3 on-error mark-down\n";
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
      text += "    server " + backend.address + " max_fails=1 fail_timeout=10s" +
              (backend.name == site.drained ? " down" : "") + ";\n";
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

}  // namespace holdfast::bench
