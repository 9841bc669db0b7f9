// When something runs out: pipes, descriptors, records. It gets slower or waits; nothing breaks,
// nothing spins.

#include <gtest/gtest.h>
#include <sys/socket.h>

#include <cerrno>
#include <future>

#include "support/faults.h"
#include "support/test_balancer.h"

namespace holdfast::testing {
namespace {

void expect_exact_transfer(const TestBalancer& balancer, const Fd& backend) {
  const auto client = balancer.connect();
  const auto server = accept_from(backend);
  const auto up = pattern(3 << 20, 1);
  const auto down = pattern(3 << 20, 2);
  auto upload = std::async(std::launch::async, [&] {
    send_all(client, up);
    finish_sending(client);
  });
  auto download = std::async(std::launch::async, [&] {
    send_all(server, down);
    finish_sending(server);
  });
  auto uploaded = std::async(std::launch::async, [&] { return receive_to_end(server); });
  EXPECT_TRUE(receive_to_end(client).bytes == down);
  EXPECT_TRUE(uploaded.get().bytes == up);
}

// scars 2, 3
TEST(Shortage, of_pipes_in_the_budget_makes_it_copy) {
  const FaultScope scope;
  const auto backend = listen_any();
  TestBalancer balancer({.backends = {address_of(backend)}, .max_pipes = 0});
  const int before = faults.splice.calls;
  expect_exact_transfer(balancer, backend);
  EXPECT_EQ(faults.splice.calls, before);
}

// scar 3
TEST(Shortage, of_descriptors_for_pipes_makes_it_copy) {
  for (const int code : {EMFILE, ENFILE, EPERM}) {
    const FaultScope scope;
    const auto backend = listen_any();
    TestBalancer balancer({.backends = {address_of(backend)}});
    faults.pipe2.fail_always(code);
    expect_exact_transfer(balancer, backend);
  }
}

TEST(Shortage, of_pipes_keeps_back_pressure_and_sleep) {
  const auto backend = listen_any();
  TestBalancer balancer({.backends = {address_of(backend)}, .max_pipes = 0});
  const auto client = balancer.connect();
  const auto server = accept_from(backend);
  std::size_t taken = 0;
  for (std::size_t more = 1; more > 0;) {
    more = send_without_waiting(server, std::size_t{256} << 20);
    taken += more;
    static_cast<void>(cpu_share_during(std::chrono::milliseconds(50)));
  }
  EXPECT_LT(taken, std::size_t{64} << 20);
  EXPECT_LT(cpu_share_during(std::chrono::milliseconds(300)), 0.5);
}

// scar 11
TEST(Shortage, of_splice_itself_makes_it_copy) {
  const FaultScope scope;
  const auto backend = listen_any();
  TestBalancer balancer({.backends = {address_of(backend)}});
  faults.splice.fail_always(EINVAL);
  expect_exact_transfer(balancer, backend);
}

// scar 11: refused once bytes are in the pipe, they still come out in order.
TEST(Shortage, of_splice_in_the_middle_of_a_stream_loses_nothing) {
  for (int healthy_calls = 1; healthy_calls < 8; ++healthy_calls) {
    const FaultScope scope;
    const auto backend = listen_any();
    TestBalancer balancer({.backends = {address_of(backend)}});
    const auto client = balancer.connect();
    const auto server = accept_from(backend);
    const auto sent = pattern(8 << 20);
    // The client doesn't read yet: the pipe fills and stays full.
    auto sender = std::async(std::launch::async, [&] { send_all(server, sent); });
    ASSERT_TRUE(eventually([&] { return faults.splice.calls > healthy_calls; }));
    faults.splice.fail_always(EINVAL);
    EXPECT_TRUE(receive(client, sent.size()) == sent);
    sender.get();
  }
}

// scar 26
TEST(Shortage, of_descriptors_pauses_the_accept_and_says_so_once) {
  const FaultScope scope;
  const auto backend = listen_any();
  TestBalancer balancer({.backends = {address_of(backend)}});
  faults.accept4.fail_always(EMFILE);
  const auto client = balancer.connect();
  const int before = faults.accept4.calls;
  const auto began = Clock::now();
  EXPECT_LT(cpu_share_during(std::chrono::milliseconds(500)), 0.5);
  const int calls = faults.accept4.calls - before;
  EXPECT_LE(calls, 5 + (Clock::now() - began) / std::chrono::milliseconds(100));  // one each 100 ms
  faults.accept4.heal();
  const auto server = accept_from(backend);  // it waited in the kernel's queue
  send_all(client, "still here");
  EXPECT_EQ(receive(server, 10), "still here");
  EXPECT_GE(balancer.counters().listeners[0].accept_pauses.get(), 1U);
  const auto log = balancer.stop_and_read_log();
  const auto first = log.find("accept paused");
  ASSERT_NE(first, std::string::npos) << log;
  EXPECT_NE(log.find("too many open files"), std::string::npos) << log;
  EXPECT_EQ(log.find("accept paused", first + 1), std::string::npos) << log;
}

// scar 28
TEST(Shortage, one_failed_accept_does_not_stop_the_listener) {
  for (const int code : {ECONNABORTED, EPROTO, ENOBUFS, EPERM, EINTR, ENETUNREACH}) {
    const FaultScope scope;
    const auto backend = listen_any();
    TestBalancer balancer({.backends = {address_of(backend)}});
    faults.accept4.fail(1, code);
    const auto client = balancer.connect();
    const Fd server(accept_from(backend));
    send_all(client, "x");
    EXPECT_EQ(receive(server, 1), "x") << error_text(code);
  }
}

// scar 27: the limit is the process's, and a listener that didn't reach it by itself waits too.
TEST(Shortage, of_records_queues_clients_of_every_listener_and_sleeps) {
  const auto backend = listen_any();
  TestBalancer balancer({.backends = {address_of(backend)}, .max_connections = 1, .listeners = 2});
  auto first = balancer.connect(0);
  auto first_server = accept_from(backend);
  const auto second = balancer.connect(1);
  const auto third = balancer.connect(0);
  EXPECT_LT(cpu_share_during(std::chrono::milliseconds(300)), 0.5);
  EXPECT_EQ(balancer.active(), 1U);
  first.reset();
  first_server.reset();
  auto next_server = accept_from(backend);  // a waiting client's turn
  next_server.reset();
  EXPECT_EQ(balancer.rejected(), 0U);
}

}  // namespace
}  // namespace holdfast::testing
