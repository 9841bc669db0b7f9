#include "crowd/content_stream.h"

#include <gtest/gtest.h>
#include <sys/socket.h>

#include <array>

#include "crowd/bulk_protocol.h"
#include "holdfast/base/fd.h"

namespace holdfast::bench {
namespace {

using namespace std::chrono_literals;

constexpr std::uint64_t kSize = 300'001;
constexpr TimePoint kNow{1h};

struct SocketPair {
  SocketPair() {
    int ends[2];
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends), 0);
    sending = Fd(ends[0]);
    receiving = Fd(ends[1]);
  }
  Fd sending;
  Fd receiving;
};

// Both ends in turn, until one of them is stuck or both are done.
struct Outcome {
  Step sent;
  Step received;
};
Outcome transfer(const SocketPair& sockets, ContentSender& sender, ContentReceiver& receiver) {
  Outcome outcome{Step::again, Step::again};
  auto now = kNow;
  for (int i = 0; i < 10'000 && outcome.received != Step::done; ++i) {
    if (outcome.sent != Step::done) {
      outcome.sent = sender.send(sockets.sending.get());
    }
    now += 1ms;
    outcome.received = receiver.receive(sockets.receiving.get(), now);
  }
  return outcome;
}

TEST(ContentStream, arrives_whole) {
  const SocketPair sockets;
  ContentSender sender(5, kSize);
  ContentReceiver receiver(5, kSize, Throttle(1e9, kNow));

  const auto outcome = transfer(sockets, sender, receiver);

  EXPECT_EQ(outcome.sent, Step::done);
  EXPECT_EQ(outcome.received, Step::done);
  EXPECT_EQ(receiver.wrong_bytes(), 0u);
}

TEST(ContentStream, is_wrong_when_it_is_another_one) {
  const SocketPair sockets;
  ContentSender sender(5, kSize);
  ContentReceiver receiver(6, kSize, Throttle(1e9, kNow));

  EXPECT_EQ(transfer(sockets, sender, receiver).received, Step::done);
  EXPECT_GT(receiver.wrong_bytes(), kSize / 2);
}

TEST(ContentStream, says_when_it_ends_too_early) {
  SocketPair sockets;
  ContentReceiver receiver(5, kSize, Throttle(1e9, kNow));
  EXPECT_EQ(::send(sockets.sending.get(), "abc", 3, 0), 3);
  sockets.sending.reset();

  EXPECT_EQ(receiver.receive(sockets.receiving.get(), kNow + 1s), Step::ended_early);
}

TEST(Throttle, lets_pass_what_the_rate_allows) {
  Throttle throttle(1e6, kNow);

  EXPECT_EQ(throttle.allowed(kNow + 1ms), 0u);
  EXPECT_NEAR(static_cast<double>(throttle.allowed(kNow + 20ms)), 20e3, 1);
  throttle.take(20'000);
  EXPECT_EQ(throttle.allowed(kNow + 20ms), 0u);
}

TEST(Throttle, does_not_make_up_for_a_stall) {
  Throttle throttle(1e6, kNow);

  EXPECT_LE(throttle.allowed(kNow + 1h), 64u * 1024);
}

TEST(BulkRequest, is_read_as_it_was_written) {
  const BulkRequest request{BulkRequest::Direction::upload, 17, std::uint64_t{64} << 20, 8e6};

  const auto read = BulkRequest::parse(request.to_bytes());

  ASSERT_TRUE(read.has_value());
  EXPECT_EQ(read->direction, request.direction);
  EXPECT_EQ(read->seed, request.seed);
  EXPECT_EQ(read->size, request.size);
  EXPECT_EQ(read->rate, request.rate);
}

TEST(BulkRequest, is_nothing_that_anybody_else_would_say) {
  BulkRequest::Bytes bytes{};
  for (const std::string_view text : {"GET / HTTP/1.1\r\n", "download 1 2", "delete 1 2 3\n", ""}) {
    bytes.fill('\0');
    std::copy(text.begin(), text.end(), bytes.begin());
    EXPECT_FALSE(BulkRequest::parse(bytes).has_value()) << text;
  }
}

}  // namespace
}  // namespace holdfast::bench
