#include "health/exchange.h"

#include <gtest/gtest.h>

namespace holdfast::health {
namespace {

// A configuration and what an exchange by it makes of an answer that comes in these parts.
class ExchangeTest : public ::testing::Test {
 protected:
  // "passed", the reason of a failure, or "more".
  std::string judge(const std::vector<std::string>& parts) {
    Exchange exchange(config_, "10.0.0.1:80");
    for (const auto& part : parts) {
      if (const auto answer = exchange.take(part)) {
        return answer->passed ? "passed" : answer->reason;
      }
    }
    return "more";
  }
  std::string judge_ended(const std::string& received) {
    Exchange exchange(config_, "10.0.0.1:80");
    if (!received.empty()) {
      EXPECT_FALSE(exchange.take(received)) << "not told before the end";
    }
    const auto answer = exchange.end();
    return answer.passed ? "passed" : answer.reason;
  }

  HealthConfig config_;
};

class SendExpect : public ExchangeTest {
 protected:
  SendExpect() {
    config_.type = CheckType::send_expect;
    config_.send = "PING\r\n";
    config_.expect = "+PONG";
  }
};

TEST_F(SendExpect, sends_what_is_configured) {
  EXPECT_EQ(Exchange(config_, "").request(), "PING\r\n");
}

TEST_F(SendExpect, finds_what_is_expected_anywhere_in_any_number_of_parts) {
  EXPECT_EQ(judge({"+PONG\r\n"}), "passed");
  EXPECT_EQ(judge({"hello +PONG"}), "passed");
  EXPECT_EQ(judge({"+", "P", "O", "N", "G"}), "passed");
  EXPECT_EQ(judge({"++PO", "NG"}), "passed");
  EXPECT_EQ(judge({"+PO+PO", "NG"}), "passed");
  EXPECT_EQ(judge({"-ERR\r\n", "+PON"}), "more");
}

TEST_F(SendExpect, takes_bytes_for_bytes) {
  config_.expect = std::string("\0\xff\0", 3);
  EXPECT_EQ(judge({std::string("a\0", 2), std::string("\xff\0", 2)}), "passed");
  EXPECT_EQ(judge({std::string("\0\xfe\0", 3)}), "more");
}

TEST_F(SendExpect, looks_no_further_than_its_limit) {
  config_.limit = 8;
  EXPECT_EQ(judge({"123+PONG"}), "passed");
  EXPECT_EQ(judge({"1234+PONG"}), "answered '1234+PONG', in 8 bytes not what is expected");
  EXPECT_EQ(judge({"1234", "+PONG"}), "answered '1234+PONG', in 8 bytes not what is expected");
  EXPECT_EQ(judge({"1234567"}), "more");
}

TEST_F(SendExpect, says_what_came_instead) {
  EXPECT_EQ(judge_ended("-NOAUTH\r\n"), "closed after it answered '-NOAUTH..'");
  EXPECT_EQ(judge_ended(""), "closed without an answer");
}

class Http : public ExchangeTest {
 protected:
  Http() { config_.type = CheckType::http; }
};

TEST_F(Http, asks_once_and_for_no_more) {
  EXPECT_EQ(Exchange(config_, "10.0.0.1:80").request(),
            "GET / HTTP/1.1\r\nHost: 10.0.0.1:80\r\nUser-Agent: holdfast\r\nAccept: */*\r\n"
            "Connection: close\r\n\r\n");
  config_.method = "HEAD";
  config_.path = "/healthz?full=1";
  config_.host = "www.example.org";
  EXPECT_TRUE(Exchange(config_, "10.0.0.1:80")
                  .request()
                  .starts_with("HEAD /healthz?full=1 HTTP/1.1\r\nHost: www.example.org\r\n"));
}

TEST_F(Http, passes_with_a_status_that_is_expected) {
  EXPECT_EQ(judge({"HTTP/1.1 2", "00 OK\r\n"}), "passed");
  EXPECT_EQ(judge({"HTTP/1.1 399 \r\n"}), "passed");
  EXPECT_EQ(judge({"HTTP/1.1 400 Bad Request\r\n"}), "answered HTTP status 400");
  config_.status = {{204, 204}, {500, 599}};
  EXPECT_EQ(judge({"HTTP/1.1 200 OK\r\n"}), "answered HTTP status 200");
  EXPECT_EQ(judge({"HTTP/1.1 204 No Content\r\n"}), "passed");
  EXPECT_EQ(judge({"HTTP/1.1 503 Busy\r\n"}), "passed");
}

TEST_F(Http, waits_for_the_final_answer) {
  EXPECT_EQ(judge({"HTTP/1.1 103 Early Hints\r\nLink: <a>\r\n", "\r\nHTTP/1.1 ", "200 OK\r\n"}),
            "passed");
  EXPECT_EQ(judge({"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 503 Busy\r\n"}),
            "answered HTTP status 503");
  EXPECT_EQ(judge({"HTTP/1.1 101 Switching Protocols\r\n"}), "answered HTTP status 101");
  EXPECT_EQ(judge({"HTTP/1.1 100 Continue\r\n" + std::string(20'000, 'x')}),
            "answered no final HTTP status");
}

TEST_F(Http, gives_up_one_that_answers_for_now_without_end) {
  const std::string interim = "HTTP/1.1 102 Processing\r\n\r\n";
  EXPECT_EQ(judge(std::vector<std::string>(1000, interim)), "answered no final HTTP status");
  EXPECT_EQ(judge({interim, interim, "HTTP/1.0 200 OK\r\n"}), "passed");
  std::string much;
  while (much.size() < 20'000) {
    much += interim;
  }
  EXPECT_EQ(judge({much + "HTTP/1.1 200 OK\r\n"}), "answered no final HTTP status")
      << "the same in one part as in many";
}

TEST_F(Http, fails_with_what_is_not_http) {
  EXPECT_EQ(judge({"SSH-2.0-OpenSSH_9.2\r\n"}),
            "answered 'SSH-2.0-OpenSSH_9.2..', which is not HTTP");
  EXPECT_EQ(judge_ended("HTTP/1.1 20"), "closed after it answered 'HTTP/1.1 20'");
}

class Agent : public ExchangeTest {
 protected:
  Agent() { config_.type = CheckType::agent; }
};

TEST_F(Agent, is_told_by_the_first_line) {
  EXPECT_EQ(judge({"up\n"}), "passed");
  EXPECT_EQ(judge({"up\r\n"}), "passed");
  EXPECT_EQ(judge({"do", "wn#no", "pe\ndown"}), "agent says down: nope");
  EXPECT_EQ(judge({"75"}), "more");
  EXPECT_EQ(judge({"75%\n"}), "passed") << "it lives, and doesn't say that it is down";
}

TEST_F(Agent, may_end_the_connection_instead_of_the_line) {
  EXPECT_EQ(judge_ended("up"), "passed");
  EXPECT_EQ(judge_ended("down"), "agent says down");
  EXPECT_EQ(judge_ended(""), "closed without an answer");
}

TEST_F(Agent, fails_with_what_is_no_answer) {
  EXPECT_EQ(judge({"\n"}), "agent says nothing");
  EXPECT_EQ(judge({"hello\n"}), "agent says 'hello', which isn't understood");
  EXPECT_EQ(judge({std::string(1024, 'a')}), "agent says more than a line has room for");
  const std::string blanks(1024, ' ');
  EXPECT_EQ(judge({blanks + "up\n"}), "agent says more than a line has room for");
  EXPECT_EQ(judge({blanks, "up\n"}), "agent says more than a line has room for");
}

TEST_F(Agent, hands_on_what_was_said) {
  Exchange exchange(config_, "");
  const auto answer = exchange.take("drain 20%\n");
  ASSERT_TRUE(answer && answer->agent);
  EXPECT_EQ(answer->agent->wish, state::AgentState::drain);
  EXPECT_EQ(answer->agent->weight_percent, 20U);
  EXPECT_TRUE(answer->passed);
}

TEST_F(ExchangeTest, is_not_needed_for_a_connect) {
  EXPECT_FALSE(Exchange::is_needed(config_));
  config_.type = CheckType::agent;
  EXPECT_TRUE(Exchange::is_needed(config_));
}

}  // namespace
}  // namespace holdfast::health
