#include <fcntl.h>
#include <gmock/gmock.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <thread>

#include "holdfast/base/socket.h"
#include "holdfast/base/temporary_directory.h"
#include "support/check.h"
#include "support/faults.h"
#include "support/full_queue.h"
#include "support/limit_scope.h"
#include "support/tcp.h"
#include "support/turning.h"

namespace holdfast::health {
namespace {

using namespace std::chrono_literals;
using testing::accept_from;
using testing::address_of;
using testing::Check;
using testing::check_of;
using testing::Ending;
using ::testing::HasSubstr;
using testing::listen_any;
using testing::open_descriptors;
using testing::open_descriptors_beside_loops;
using testing::plan_for;
using testing::turn;
using testing::turn_until;
using Verdict = ProbeResult::Verdict;

TEST(Probe, passes_when_the_backend_takes_the_connection) {
  const auto backend = listen_any();
  Check check(address_of(backend));
  const auto result = check.result();
  EXPECT_EQ(result.verdict, Verdict::passed);
  EXPECT_EQ(result.reason, "");
  EXPECT_GT(result.took, 0s);
}

TEST(Probe, fails_when_the_backend_refuses) {
  const auto dead = testing::reserve_closed_port();
  Check check(address_of(dead));
  const auto result = check.result();
  EXPECT_EQ(result.verdict, Verdict::failed);
  EXPECT_EQ(result.reason, "connection refused");
}

TEST(Probe, checks_a_unix_socket_and_reports_its_refusal_from_the_loop) {
  const auto directory = TemporaryDirectory::make().value();
  const auto path =
      SocketAddress::from(*Endpoint::parse("unix:" + directory.file("app.sock"))).value();
  {
    const auto backend = listen_on(path, false).value();
    EXPECT_EQ(Check(path).result().verdict, Verdict::passed);
  }
  Check refused(path);
  EXPECT_FALSE(refused.has_reported()) << "nobody is called back while still making the probe";
  EXPECT_EQ(refused.result().reason, "connection refused");
}

// scar 33, and scar 34: the limit of the check holds, however long a connect may take.
TEST(Probe, fails_in_time_and_leaves_no_socket_when_the_accept_queue_is_full) {
  const testing::FullQueue backend;
  const auto before = open_descriptors_beside_loops();
  {
    Check check(backend.address(), 100ms);
    const auto result = check.result();
    EXPECT_EQ(result.verdict, Verdict::failed);
    EXPECT_EQ(result.reason, "timeout");
    EXPECT_GE(result.took, 100ms);
  }
  EXPECT_EQ(open_descriptors(), before);
}

// scar 32: it was asked whether it takes connections, and it does.
TEST(Probe, passes_when_the_backend_resets_at_once) {
  const auto backend = listen_any();
  Check check(address_of(backend));
  testing::reset(accept_from(backend));
  EXPECT_EQ(check.result().verdict, Verdict::passed);
}

TEST(Probe, passes_when_the_backend_closes_at_once) {
  const auto backend = listen_any();
  Check check(address_of(backend));
  static_cast<void>(accept_from(backend));
  EXPECT_EQ(check.result().verdict, Verdict::passed);
}

TEST(Probe, ends_in_order_and_never_resets_a_backend_that_greets) {
  const auto backend = listen_any();
  for (const bool late : {false, true}) {
    Check check(address_of(backend));
    const auto server = accept_from(backend);
    if (!late) {
      testing::send_all(server, "220 mail.example ESMTP\r\n");
    }
    EXPECT_EQ(check.result().verdict, Verdict::passed);
    EXPECT_EQ(testing::ending_of(server), Ending::fin);
    testing::send_all(server, "220 here I am\r\n");  // an answer to the FIN
    turn(check.loop);
    testing::send_all(server, "221 bye\r\n");
    testing::finish_sending(server);
    turn(check.loop);
    EXPECT_EQ(testing::ending_of(server), Ending::fin) << "still no reset";
    EXPECT_EQ(unacknowledged_bytes(server.get()), 0);
  }
}

TEST(Probe, lets_go_of_a_backend_that_closes_and_of_one_that_never_does) {
  const auto backend = listen_any();
  for (const bool closes : {true, false}) {
    Check check(address_of(backend), closes ? Milliseconds(10s) : 50ms);
    auto server = accept_from(backend);
    const auto before = open_descriptors();  // the server's end is among them
    EXPECT_EQ(check.result().verdict, Verdict::passed);
    if (closes) {
      testing::finish_sending(server);
    }
    EXPECT_TRUE(turn_until(check.loop, [&] { return open_descriptors() < before; }));
    EXPECT_EQ(testing::ending_of(server), Ending::fin);
  }
}

TEST(Probe, does_not_hold_the_loop_for_a_backend_that_sends_without_end) {
  const auto backend = listen_any();
  Check check(address_of(backend), 1s);
  const auto server = accept_from(backend);
  const auto before = open_descriptors();
  std::atomic<bool> sending{true};
  std::thread flood([&] {
    while (sending) {
      static_cast<void>(testing::send_without_waiting(server, 1024 * 1024));
      if (::send(server.get(), "", 1, MSG_NOSIGNAL | MSG_DONTWAIT) < 0 && errno != EAGAIN) {
        return;  // the probe has let go
      }
    }
  });
  EXPECT_EQ(check.result().verdict, Verdict::passed);
  int ticks = 0;
  loop::Timer timer(check.loop, [&] { ++ticks; });
  timer.start_every(5ms);
  EXPECT_TRUE(turn_until(check.loop, [&] { return open_descriptors() < before; }));
  EXPECT_GE(ticks, 2);
  sending = false;
  flood.join();
}

// After a pause of the process, timers come before what the sockets have to say.
TEST(Probe, passes_when_its_time_went_by_while_nobody_looked) {
  const auto backend = listen_any();
  Check check(address_of(backend), 5ms);
  const auto server = accept_from(backend);
  std::this_thread::sleep_for(30ms);
  EXPECT_EQ(check.result().verdict, Verdict::passed);
}

// The kernel then says "broken pipe" instead of "connection reset".
TEST(Probe, passes_when_the_backend_ends_and_resets_before_anybody_looked) {
  const auto backend = listen_any();
  Check check(address_of(backend));
  {
    auto server = accept_from(backend);
    testing::finish_sending(server);
    testing::reset(std::move(server));
  }
  EXPECT_EQ(check.result().verdict, Verdict::passed);
}

// scar 30
TEST(Probe, is_inconclusive_while_this_host_is_out_of_descriptors) {
  const auto backend = listen_any();
  ASSERT_EQ(Check(address_of(backend)).result().verdict, Verdict::passed);
  loop::Loop loop;  // while there are descriptors for it
  std::optional<ProbeResult> result;
  std::optional<Probe> probe;
  {
    const testing::LimitScope limit(RLIMIT_NOFILE, 0);
    probe.emplace(loop, plan_for(address_of(backend), check_of(CheckType::tcp)),
                  [&](const ProbeResult& its) { result = its; });
  }
  ASSERT_TRUE(turn_until(loop, [&] { return result.has_value(); }));
  EXPECT_EQ(result->verdict, Verdict::inconclusive);
  EXPECT_EQ(result->reason, "cannot make a socket: too many open files");
  EXPECT_EQ(Check(address_of(backend)).result().verdict, Verdict::passed);
}

// Makes connect(2) fail with this errno; faults spare the main thread.
ProbeResult result_when_connect_fails(int code) {
  const testing::FaultScope scope;
  testing::faults.connect.fail_always(code);
  ProbeResult result{};
  std::thread([&] {
    const auto backend = listen_any();
    result = Check(address_of(backend)).result();
  }).join();
  return result;
}

// scar 30
TEST(Probe, is_inconclusive_when_the_local_ports_are_used_up) {
  const auto result = result_when_connect_fails(EADDRNOTAVAIL);
  EXPECT_EQ(result.verdict, Verdict::inconclusive);
  EXPECT_THAT(result.reason, HasSubstr("cannot connect to 127.0.0.1:"));
  EXPECT_THAT(result.reason, HasSubstr(": cannot assign requested address"));
}

// scar 36: there is no socket any more, and descriptor 0 is not what stands for none.
TEST(Probe, leaves_descriptor_0_alone_when_the_network_is_unreachable) {
  Fd made;
  if (::fcntl(STDIN_FILENO, F_GETFD) < 0) {
    made = Fd(::open("/dev/null", O_RDONLY));
    ASSERT_EQ(made.get(), STDIN_FILENO);
  }
  struct stat before {};
  ASSERT_EQ(::fstat(STDIN_FILENO, &before), 0);
  const auto open_before = open_descriptors_beside_loops();
  const auto result = result_when_connect_fails(ENETUNREACH);
  EXPECT_EQ(result.verdict, Verdict::failed);
  EXPECT_EQ(result.reason, "network is unreachable");
  struct stat after {};
  ASSERT_EQ(::fstat(STDIN_FILENO, &after), 0);
  EXPECT_EQ(after.st_ino, before.st_ino);
  EXPECT_EQ(open_descriptors(), open_before);
}

// scar 35
TEST(Probe, says_nothing_and_leaves_nothing_when_it_is_destroyed_in_flight) {
  const testing::FullQueue silent;
  const auto alive = listen_any();
  const auto dead = testing::reserve_closed_port();
  const auto before = open_descriptors_beside_loops();
  for (const auto& address : {silent.address(), address_of(alive), address_of(dead)}) {
    Check check(address);
    check.destroy();
    turn(check.loop);
    EXPECT_FALSE(check.has_reported());
  }
  EXPECT_EQ(open_descriptors(), before);
}

// scar 21
TEST(Probe, may_be_destroyed_in_its_report) {
  const auto alive = listen_any();
  const auto dead = testing::reserve_closed_port();
  const testing::FullQueue silent;
  for (const auto& address : {address_of(alive), address_of(dead), silent.address()}) {
    loop::Loop loop;
    std::optional<Probe> probe;
    probe.emplace(loop, plan_for(address, check_of(CheckType::tcp, 20ms)),
                  [&](const ProbeResult&) { probe.reset(); });
    EXPECT_TRUE(turn_until(loop, [&] { return !probe.has_value(); }));
  }
}

}  // namespace
}  // namespace holdfast::health
