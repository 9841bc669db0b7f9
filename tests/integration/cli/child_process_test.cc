#include "cli/child_process.h"

#include <gmock/gmock.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <thread>

#include "cli/line_reader.h"

namespace holdfast::cli {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using testing::Optional;

ChildProcess::Command shell(std::string script) {
  return {.arguments = {"/bin/sh", "-c", std::move(script)},
          .output = ChildProcess::Stream::piped,
          .errors = ChildProcess::Stream::piped,
          .descriptors = {}};
}

TEST(ChildProcess, gives_its_streams_and_its_end) {
  auto child = ChildProcess::start(shell("echo out; echo err >&2; exit 3")).value();

  EXPECT_THAT(LineReader(child->take_output()).wait(10s), Optional(std::string("out")));
  EXPECT_THAT(LineReader(child->take_errors()).wait(10s), Optional(std::string("err")));
  const auto status = child->wait(10s);
  ASSERT_TRUE(status);
  EXPECT_EQ(describe_status(*status), "exit code 3");
}

TEST(ChildProcess, passes_a_descriptor_on_under_its_number) {
  const Fd file(::memfd_create("test", MFD_CLOEXEC));
  ASSERT_EQ(::write(file.get(), "inside\n", 7), 7);
  auto command = shell("cat /dev/fd/" + std::to_string(file.get()));
  command.descriptors = {file.get()};

  auto child = ChildProcess::start(command).value();

  EXPECT_THAT(LineReader(child->take_output()).wait(10s), Optional(std::string("inside")));
}

TEST(ChildProcess, passes_nothing_else_on) {
  const Fd file(::memfd_create("test", MFD_CLOEXEC));

  auto child = ChildProcess::start(shell("ls /proc/self/fd/" + std::to_string(file.get()))).value();

  EXPECT_THAT(LineReader(child->take_errors()).wait(10s), Optional(HasSubstr("No such file")));
}

TEST(ChildProcess, says_why_a_program_cannot_be_run) {
  const auto child = ChildProcess::start({.arguments = {"/nonexistent"}});

  ASSERT_FALSE(child);
  EXPECT_EQ(child.error().message, "cannot run /nonexistent: no such file or directory");
}

TEST(ChildProcess, ends_what_heeds_sigterm_with_it_and_the_rest_by_force) {
  auto heeding = ChildProcess::start(shell("exec sleep 600")).value();
  EXPECT_EQ(describe_status(heeding->stop(10s)), "signal 15");

  auto stubborn =
      ChildProcess::start(shell("trap '' TERM; echo; while :; do sleep 1; done")).value();
  ASSERT_TRUE(LineReader(stubborn->take_output()).wait(10s)) << "until the trap is set";
  EXPECT_EQ(describe_status(stubborn->stop(1ms)), "signal 9");
}

TEST(ChildProcess, starts_with_no_signal_blocked) {
  sigset_t usual;
  sigset_t blocked;
  sigemptyset(&blocked);
  sigaddset(&blocked, SIGTERM);
  ::pthread_sigmask(SIG_BLOCK, &blocked, &usual);

  auto child = ChildProcess::start(shell("exec sleep 600")).value();
  ::pthread_sigmask(SIG_SETMASK, &usual, nullptr);

  EXPECT_EQ(describe_status(child->stop(10s)), "signal 15");
}

TEST(ChildProcess, dies_with_the_thread_that_started_it) {
  std::unique_ptr<ChildProcess> child;
  std::thread([&] { child = ChildProcess::start(shell("exec sleep 600")).value(); }).join();

  const auto status = child->wait(10s);

  ASSERT_TRUE(status);
  EXPECT_EQ(describe_status(*status), "signal 9");
}

TEST(ChildProcess, is_killed_and_reaped_when_its_owner_lets_go) {
  auto child = ChildProcess::start(shell("exec sleep 600")).value();
  const auto pid = child->pid();

  child.reset();

  EXPECT_EQ(::waitpid(pid, nullptr, 0), -1);
  EXPECT_EQ(errno, ECHILD);
}

}  // namespace
}  // namespace holdfast::cli
