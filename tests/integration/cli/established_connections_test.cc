#include "cli/established_connections.h"

#include <gmock/gmock.h>
#include <sys/socket.h>

#include "integration/cli/responder_thread.h"

namespace holdfast::cli {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::Pair;

class EstablishedConnectionsTest : public testing::Test {
 protected:
  void open(Duration answer_limit = 5s) {
    connections_.emplace(loop_, EstablishedConnections::Options{.target = reservation_.address(),
                                                                .number = 5,
                                                                .round = 50ms,
                                                                .answer_limit = answer_limit});
  }
  void turn_a_round() {
    connections_->after_a_round([this] { loop_.stop(); });
    loop_.run();
  }

  PortReservation reservation_ = PortReservation::make().value();
  loop::Loop loop_;
  std::optional<EstablishedConnections> connections_;
};

TEST_F(EstablishedConnectionsTest, stay_open_from_one_exchange_to_the_next) {
  const ResponderThread responder(reservation_.address());
  open();

  for (int round = 0; round < 3; ++round) {
    turn_a_round();
  }

  EXPECT_EQ(connections_->number(), 5U);
  EXPECT_THAT(connections_->losses(), IsEmpty());
}

TEST_F(EstablishedConnectionsTest, are_lost_when_the_other_side_ends) {
  {
    const ResponderThread responder(reservation_.address());
    open();
    turn_a_round();
  }
  turn_a_round();

  EXPECT_EQ(connections_->lost(), 5U);
}

TEST_F(EstablishedConnectionsTest, stay_lost_when_the_other_side_is_back) {
  {
    const ResponderThread responder(reservation_.address());
    open();
    turn_a_round();
  }
  turn_a_round();
  const ResponderThread responder(reservation_.address());

  turn_a_round();

  EXPECT_EQ(connections_->lost(), 5U);
}

TEST_F(EstablishedConnectionsTest, are_lost_when_nobody_listens) {
  open();

  turn_a_round();

  EXPECT_THAT(connections_->losses(), ElementsAre(Pair(Outcome::refused, 5)));
}

// A listener that never accepts: the kernel does the handshake, and nobody answers.
TEST_F(EstablishedConnectionsTest, are_lost_when_an_answer_takes_too_long) {
  const auto listener = listen_on(reservation_.address(), false);
  open(100ms);

  turn_a_round();

  EXPECT_THAT(connections_->losses(), ElementsAre(Pair(Outcome::timed_out, 5)));
}

class AnsweringTest : public EstablishedConnectionsTest {
 protected:
  // One connection, whose exchanges get these answers in turn.
  std::optional<Outcome> loss_after(const std::vector<std::string>& answers) {
    const auto listener = listen_on(reservation_.address(), false).value();
    EstablishedConnection connection(loop_, reservation_.address(), "GET / HTTP/1.1\r\n\r\n");
    Fd accepted;
    loop::Timer steps(loop_, [&] {
      if (!accepted.is_open()) {
        accepted = Fd(::accept4(listener.get(), nullptr, nullptr, SOCK_NONBLOCK));
        return;
      }
      char request[256];
      const auto size = ::recv(accepted.get(), request, sizeof request, 0);
      if (size > 0 && answered_ < answers.size()) {
        const auto& answer = answers[answered_++];
        EXPECT_GT(::send(accepted.get(), answer.data(), answer.size(), MSG_NOSIGNAL), 0);
      } else if (connection.loss() || size > 0) {
        loop_.stop();
      } else {
        connection.ask(5s);
      }
    });
    steps.start_every(1ms);
    loop_.run();
    return connection.loss();
  }

 private:
  std::size_t answered_ = 0;
};

std::string answer(const std::string& name, const std::string& status = "200 OK") {
  return "HTTP/1.1 " + status + "\r\nContent-Length: " + std::to_string(name.size()) + "\r\n\r\n" +
         name;
}

TEST_F(AnsweringTest, the_same_instance_may_answer_again_and_again) {
  EXPECT_EQ(loss_after({answer("web-1"), answer("web-1"), answer("web-1")}), std::nullopt);
}

TEST_F(AnsweringTest, another_instance_is_another_connection) {
  EXPECT_EQ(loss_after({answer("web-1"), answer("web-2")}), Outcome::other);
}

TEST_F(AnsweringTest, an_error_is_no_answer) {
  EXPECT_EQ(loss_after({answer("web-1"), answer("web-1", "503 Service Unavailable")}),
            Outcome::other);
}

TEST_F(AnsweringTest, what_is_no_http_is_no_answer) {
  EXPECT_EQ(loss_after({answer("web-1"), "what?\r\n\r\n"}), Outcome::other);
}

}  // namespace
}  // namespace holdfast::cli
