#include "holdfast/admin/interface.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <sys/stat.h>
#include <unistd.h>

#include "holdfast/admin/instance_lock.h"
#include "holdfast/base/socket.h"
#include "holdfast/base/temporary_directory.h"
#include "support/tcp.h"
#include "support/test_state.h"
#include "support/text_log.h"

namespace holdfast::admin {
namespace {

using state::AdminSocket;
using ::testing::HasSubstr;

class InterfaceTest : public ::testing::Test {
 protected:
  InterfaceTest() { hold_lock(); }
  ~InterfaceTest() override { interface_->close(); }

  void hold_lock() {
    lock_ = lock_instance(path_).value().value();
    state_.shared().lock_fd.set(static_cast<std::uint32_t>(lock_.get()));
  }

  [[nodiscard]] AdminConfig config() const {
    AdminConfig config;
    config.http = Endpoint::parse("127.0.0.1:0").value();
    config.socket = Endpoint::parse("unix:" + path_).value();
    config.socket_mark = {1, 1};
    return config;
  }

  [[nodiscard]] const SocketAddress& address(AdminSocket which) const {
    return state_.shared().admin_socket(which).address;
  }

  [[nodiscard]] static std::string ask(const SocketAddress& address, const std::string& request) {
    const auto client = testing::connect_to(address);
    testing::send_all(client, request + " HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
    return testing::receive_to_end(client).bytes;
  }

  TemporaryDirectory directory_ = TemporaryDirectory::make().value();
  std::string path_ = directory_.file("control.sock");
  testing::TestState state_;
  testing::TextLog log_;
  std::mutex entries_;
  Fd lock_;
  int reloads_ = 0;
  Subject subject_{.shared = state_.shared(),
                   .version = "1.2.3",
                   .entries = entries_,
                   .operations = {.reload =
                                      [this] {
                                        ++reloads_;
                                        return worker::ReloadResult{.succeeded = true};
                                      },
                                  .upgrade = {}}};
  std::unique_ptr<Interface> interface_ =
      std::make_unique<Interface>(state_.shared(), subject_, log_.log());
};

TEST_F(InterfaceTest, reads_on_one_address_and_changes_on_the_other) {
  ASSERT_TRUE(interface_->start(config(), false));
  EXPECT_THAT(ask(address(AdminSocket::http), "GET /healthz"), HasSubstr(" 200 "));
  EXPECT_THAT(ask(address(AdminSocket::http), "POST /api/v1/reload"), HasSubstr(" 403 "));
  EXPECT_EQ(reloads_, 0);
  EXPECT_THAT(ask(address(AdminSocket::control), "POST /api/v1/reload"), HasSubstr(" 200 "));
  EXPECT_EQ(reloads_, 1);
}

TEST_F(InterfaceTest, lets_no_other_user_connect_to_the_control_socket) {
  ASSERT_TRUE(interface_->start(config(), false));
  struct stat file {};
  ASSERT_EQ(::stat(path_.c_str(), &file), 0);
  EXPECT_EQ(file.st_mode & 0777, 0600U);
}

TEST_F(InterfaceTest, a_successor_answers_the_client_that_waits_in_the_queue) {
  ASSERT_TRUE(interface_->start(config(), false));
  const auto where = address(AdminSocket::control);
  interface_.reset();  // its threads are gone, its sockets are not

  const auto client = testing::connect_to(where);
  testing::send_all(client, "GET /healthz HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
  interface_ = std::make_unique<Interface>(state_.shared(), subject_, log_.log());
  ASSERT_TRUE(interface_->start(config(), true));

  EXPECT_THAT(testing::receive_to_end(client).bytes, HasSubstr(" 200 "));
}

TEST_F(InterfaceTest, names_the_address_that_is_taken) {
  const auto taken = testing::listen_any();
  auto changed = config();
  changed.http = testing::address_of(taken).endpoint();

  const auto started = interface_->start(changed, false);

  ASSERT_FALSE(started);
  EXPECT_EQ(started.error().message, "admin.http " + changed.http->to_string() +
                                         ": address already in use; is another holdfast running? "
                                         "choose another address, or \"off\"");
}

TEST_F(InterfaceTest, goes_on_without_an_address_after_a_crash) {
  const auto taken = testing::listen_any();
  auto changed = config();
  changed.http = testing::address_of(taken).endpoint();

  ASSERT_TRUE(interface_->start(changed, true));

  EXPECT_THAT(log_.text(), HasSubstr("error admin not listening"));
  EXPECT_THAT(ask(address(AdminSocket::control), "GET /healthz"), HasSubstr(" 200 "));
}

TEST_F(InterfaceTest, moves_to_other_addresses_and_leaves_no_file_behind) {
  ASSERT_TRUE(interface_->start(config(), false));
  const auto before = address(AdminSocket::http);
  auto changed = config();
  changed.http = Endpoint::parse("[::1]:0").value();
  const std::string other = directory_.file("other.sock");
  changed.socket = Endpoint::parse("unix:" + other).value();
  static_cast<void>(lock_.release());  // the interface closes it

  ASSERT_TRUE(interface_->change(changed));

  EXPECT_THAT(ask(address(AdminSocket::http), "GET /healthz"), HasSubstr(" 200 "));
  EXPECT_THAT(ask(address(AdminSocket::control), "GET /healthz"), HasSubstr(" 200 "));
  EXPECT_EQ(address(AdminSocket::control).to_string(), "unix:" + other);
  EXPECT_NE(::access(path_.c_str(), F_OK), 0);
  EXPECT_TRUE(lock_instance(path_).value().has_value()) << "free for another instance";
  EXPECT_FALSE(lock_instance(other).value().has_value());
  EXPECT_FALSE(before == address(AdminSocket::http));
}

TEST_F(InterfaceTest, stays_where_it_is_when_it_cannot_move) {
  ASSERT_TRUE(interface_->start(config(), false));
  const auto taken = testing::listen_any();
  auto changed = config();
  changed.http = testing::address_of(taken).endpoint();

  EXPECT_FALSE(interface_->change(changed));

  EXPECT_THAT(ask(address(AdminSocket::http), "GET /healthz"), HasSubstr(" 200 "));
  EXPECT_THAT(ask(address(AdminSocket::control), "GET /healthz"), HasSubstr(" 200 "));
}

TEST_F(InterfaceTest, without_a_lock_there_is_no_control_socket) {
  state_.shared().lock_fd.set(0);
  ASSERT_TRUE(interface_->start(config(), false));
  EXPECT_FALSE(state_.shared().admin_socket(AdminSocket::control).is_used());
  EXPECT_NE(::access(path_.c_str(), F_OK), 0);
}

TEST(InstanceLock, is_held_by_whoever_has_the_descriptor) {
  const auto directory = TemporaryDirectory::make().value();
  const std::string path = directory.file("control.sock");
  auto lock = lock_instance(path).value();
  ASSERT_TRUE(lock);
  Fd copy(::fcntl(lock->get(), F_DUPFD_CLOEXEC, 0));
  lock->reset();
  EXPECT_FALSE(lock_instance(path).value()) << "a process that shares it still lives";
  copy.reset();
  EXPECT_TRUE(lock_instance(path).value());
}

TEST(InstanceLock, names_the_file_that_it_cannot_make) {
  const auto lock = lock_instance("/nowhere/control.sock");
  ASSERT_FALSE(lock);
  EXPECT_EQ(lock.error().message,
            "cannot open /nowhere/control.sock.lock: no such file or directory");
}

}  // namespace
}  // namespace holdfast::admin
