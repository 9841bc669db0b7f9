#include "holdfast/service/notify.h"

#include <gmock/gmock.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <cstring>
#include <optional>
#include <string>

#include "holdfast/base/fd.h"
#include "holdfast/base/temporary_directory.h"

namespace holdfast::service {
namespace {

using testing::Eq;
using testing::Optional;

// The receiving end of systemd's notification socket, and the environment that names it.
class Systemd {
 public:
  Systemd() : socket_(::socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)) {
    const auto path = directory_.file("notify");
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::strncpy(address.sun_path, path.c_str(), sizeof address.sun_path - 1);
    EXPECT_EQ(::bind(socket_.get(), reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    ::setenv("NOTIFY_SOCKET", path.c_str(), 1);
  }
  Systemd(const Systemd&) = delete;
  Systemd& operator=(const Systemd&) = delete;
  ~Systemd() { ::unsetenv("NOTIFY_SOCKET"); }

  // The next message that has arrived. Datagrams of a Unix socket are there once sent.
  std::optional<std::string> next() {
    char text[512];
    const auto size = ::recv(socket_.get(), text, sizeof text, 0);
    if (size < 0) {
      return std::nullopt;
    }
    return std::string(text, static_cast<std::size_t>(size));
  }

 private:
  Fd socket_;
  TemporaryDirectory directory_ = TemporaryDirectory::make().value();
};

TEST(Notify, says_that_it_is_ready_with_a_status) {
  Systemd systemd;
  notify_ready("2 listeners");
  EXPECT_THAT(systemd.next(), Optional(Eq("READY=1\nSTATUS=2 listeners")));
}

TEST(Notify, says_that_it_is_stopping) {
  Systemd systemd;
  notify_stopping("3 connections left");
  EXPECT_THAT(systemd.next(), Optional(Eq("STOPPING=1\nSTATUS=3 connections left")));
}

TEST(Notify, changes_the_status_alone) {
  Systemd systemd;
  notify_status("pool web: 1 of 2 backends up");
  EXPECT_THAT(systemd.next(), Optional(Eq("STATUS=pool web: 1 of 2 backends up")));
}

TEST(Notify, keeps_a_status_on_one_line_so_that_it_assigns_nothing_else) {
  Systemd systemd;
  notify_status("pool a\nMAINPID=1");
  EXPECT_THAT(systemd.next(), Optional(Eq("STATUS=pool a MAINPID=1")));
}

TEST(Notify, says_that_it_is_alive) {
  Systemd systemd;
  notify_watchdog();
  EXPECT_THAT(systemd.next(), Optional(Eq("WATCHDOG=1")));
}

TEST(Notify, speaks_as_often_as_it_is_asked_to) {
  Systemd systemd;
  notify_watchdog();
  notify_watchdog();
  EXPECT_TRUE(systemd.next().has_value());
  EXPECT_TRUE(systemd.next().has_value());
  EXPECT_FALSE(systemd.next().has_value());
}

TEST(Notify, does_nothing_outside_systemd) {
  ::unsetenv("NOTIFY_SOCKET");
  notify_ready("ready");
  notify_stopping("stopping");
  notify_watchdog();
}

TEST(Notify, does_nothing_when_the_socket_is_gone) {
  ::setenv("NOTIFY_SOCKET", "/nonexistent/notify", 1);
  notify_ready("ready");
  ::unsetenv("NOTIFY_SOCKET");
}

}  // namespace
}  // namespace holdfast::service
