// A process that is stopped and continued, or whose thread takes a signal, finds its loop as it
// was: epoll_wait(2) ends with EINTR, which is neither an event nor an error (scar 24).

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <thread>

#include "support/tcp.h"
#include "support/turning.h"

namespace holdfast::loop {
namespace {

using namespace std::chrono_literals;

// Answers each byte on a loop, until the other end has finished; then 0. With a timer running,
// epoll waits up to a time limit, as it does in a worker.
int echo_until_the_end(const Fd& socket) {
  Loop loop;
  bool ended = false;
  testing::OnReady handler([&](Poll& poll, Readiness) {
    char byte = 0;
    if (::recv(socket.get(), &byte, 1, 0) == 1) {
      static_cast<void>(::send(socket.get(), &byte, 1, MSG_NOSIGNAL));
      return;
    }
    ended = true;
    poll.want(false, false);
    loop.stop();
  });
  Poll poll(loop, socket.get(), handler);
  poll.want(true, false);
  Timer timer(loop, [] {});
  timer.start_once(1h);
  loop.run();
  return ended ? 0 : 1;
}

// scar 24
TEST(Interruption, by_stop_and_continue_changes_nothing) {
  testing::SocketPair pair;
  const pid_t child = ::fork();
  ASSERT_NE(child, -1);
  if (child == 0) {
    pair.far.reset();
    ::_exit(echo_until_the_end(pair.near));
  }
  pair.near.reset();
  int status = 0;
  for (int i = 0; i < 20; ++i) {
    testing::send_all(pair.far, "a");
    EXPECT_EQ(testing::receive(pair.far, 1), "a");
    ASSERT_EQ(::kill(child, SIGSTOP), 0);
    ASSERT_EQ(::waitpid(child, &status, WUNTRACED), child);
    ASSERT_TRUE(WIFSTOPPED(status)) << status;
    ASSERT_EQ(::kill(child, SIGCONT), 0);
  }
  testing::send_all(pair.far, "z");
  EXPECT_EQ(testing::receive(pair.far, 1), "z");
  testing::finish_sending(pair.far);
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFEXITED(status)) << status;
  EXPECT_EQ(WEXITSTATUS(status), 0);
}

std::atomic<int> interruptions{0};

// scar 24
TEST(Interruption, by_a_signals_handler_neither_ends_the_loop_nor_hurries_its_timers) {
  struct sigaction usual {};
  struct sigaction counting {};
  counting.sa_handler = [](int) { ++interruptions; };
  ASSERT_EQ(::sigaction(SIGUSR1, &counting, &usual), 0);  // without SA_RESTART
  interruptions = 0;

  std::atomic<bool> running{false};
  bool fired = false;
  Duration waited{};
  std::thread thread([&] {
    Loop loop;
    const auto started = Clock::now();
    Timer timer(loop, [&] {
      fired = true;
      waited = Clock::now() - started;
    });
    timer.start_once(500ms);
    running = true;
    loop.run();
    running = false;
  });
  ASSERT_TRUE(testing::eventually([&] { return running.load(); }));
  while (running) {
    // Again and again: ThreadSanitizer keeps one that comes before the thread waits for the kernel.
    ASSERT_EQ(::pthread_kill(thread.native_handle(), SIGUSR1), 0);
    std::this_thread::sleep_for(1ms);
  }
  thread.join();
  ASSERT_EQ(::sigaction(SIGUSR1, &usual, nullptr), 0);
  EXPECT_TRUE(fired);
  EXPECT_GE(waited, 500ms);
  EXPECT_GT(interruptions, 0);
}

}  // namespace
}  // namespace holdfast::loop
