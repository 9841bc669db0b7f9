#include "relay/pump.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <thread>
#include <vector>

#include "holdfast/base/socket.h"
#include "support/tcp.h"

namespace holdfast::relay {
namespace {

using testing::accept_from;
using testing::address_of;
using testing::connect_to;
using testing::listen_any;

struct CountingWitness final : Witness {
  void on_taken(state::FlowRecord& flow) override { taken += flow.held; }
  void on_copy(state::FlowRecord&) override { ++copies; }
  std::uint64_t taken = 0;
  int copies = 0;
};

// What is sent between the splice that finds nothing and the look for an urgent mark is no reason
// to copy: a witness keeps nothing any more after a copy.
TEST(Pump, copies_nothing_that_comes_while_it_looks_whether_it_has_to) {
  constexpr std::uint64_t kMessages = 20'000;
  const auto front = listen_any();
  const auto back = listen_any();
  const auto client = connect_to(address_of(front));
  const auto source = accept_from(front);
  const auto sink = connect_to(address_of(back));
  const auto server = accept_from(back);
  ASSERT_EQ(::fcntl(source.get(), F_SETFL, O_NONBLOCK), 0);
  ASSERT_EQ(::fcntl(sink.get(), F_SETFL, O_NONBLOCK), 0);
  const int on = 1;
  ASSERT_EQ(::setsockopt(client.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on), 0);

  std::thread sender([&] {
    for (std::uint64_t i = 0; i < kMessages; ++i) {
      testing::send_all(client, "x");
    }
  });
  std::thread reader([&] {
    std::vector<char> heard(64 * 1024);
    for (std::uint64_t all = 0; all < kMessages;) {
      const auto got = ::recv(server.get(), heard.data(), heard.size(), 0);
      if (got <= 0) {
        break;
      }
      all += static_cast<std::uint64_t>(got);
    }
  });
  PipePool pipes(2, 0);
  std::vector<char> scratch(kScratchSize);
  PumpTools tools{pipes, scratch};
  CountingWitness witness;
  state::FlowRecord flow;
  const bool all_came = testing::eventually([&] {
    const auto stop = pump(flow, source.get(), sink.get(), true, tools, &witness);
    EXPECT_TRUE(stop == PumpStop::source_blocked || stop == PumpStop::budget_spent ||
                stop == PumpStop::sink_blocked);
    return flow.delivered == kMessages;
  });
  EXPECT_TRUE(all_came) << flow.delivered;
  sender.join();
  ::shutdown(sink.get(), SHUT_WR);
  reader.join();
  EXPECT_EQ(witness.copies, 0);
  EXPECT_EQ(witness.taken, kMessages);
  abort_flow(flow, tools);
}

}  // namespace
}  // namespace holdfast::relay
