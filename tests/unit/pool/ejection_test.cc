#include "holdfast/pool/ejection.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace holdfast::pool {
namespace {

using namespace std::chrono_literals;
using state::EjectionState;

class Ejection : public ::testing::Test {
 protected:
  bool fail(bool may_eject = true) { return note_failure(record_, config_, now_, may_eject); }
  bool fail_out() {
    while (!fail()) {
    }
    return true;
  }
  Duration time() { return ejection_time(record_, config_); }

  PassiveConfig config_{
      .is_on = true, .failures = 3, .eject_for = 10s, .max_ejected = 50, .mark = {}};
  state::EjectionRecord record_;
  TimePoint now_{1000s};
};

TEST_F(Ejection, comes_with_the_last_of_so_many_failures_in_a_row) {
  EXPECT_FALSE(fail());
  EXPECT_FALSE(fail());
  EXPECT_FALSE(is_ejected(record_));
  EXPECT_TRUE(fail());
  EXPECT_TRUE(is_ejected(record_));
  EXPECT_EQ(time(), 10s);
  EXPECT_EQ(record_.total.get(), 1U);
}

TEST_F(Ejection, is_put_off_by_a_success) {
  for (int i = 0; i < 5; ++i) {
    EXPECT_FALSE(fail());
    EXPECT_FALSE(fail());
    EXPECT_FALSE(note_success(record_, now_));
  }
}

TEST_F(Ejection, waits_until_it_is_allowed) {
  for (int i = 0; i < 10; ++i) {
    EXPECT_FALSE(fail(false));
  }
  EXPECT_TRUE(fail());
}

TEST_F(Ejection, is_for_checks_to_end_once_they_have_taken_the_backend_out_as_well) {
  leave_to_checks(record_, now_);
  EXPECT_FALSE(is_ejected(record_));
  fail_out();
  EXPECT_FALSE(note_check_passed(record_, now_ + 1s));
  leave_to_checks(record_, now_ + 1s);
  EXPECT_TRUE(is_ejected(record_));
  EXPECT_TRUE(note_check_passed(record_, now_ + 2s));
  EXPECT_FALSE(is_ejected(record_));
}

TEST_F(Ejection, is_not_changed_by_connections_from_before) {
  fail_out();
  EXPECT_FALSE(fail());
  EXPECT_FALSE(note_success(record_, now_));
  EXPECT_TRUE(is_ejected(record_));
  EXPECT_EQ(record_.total.get(), 1U);
}

TEST_F(Ejection, ends_with_a_check_that_passes_after_its_time) {
  fail_out();
  now_ += 10s - 1ns;
  EXPECT_FALSE(is_due(record_, now_));
  EXPECT_FALSE(note_check_passed(record_, now_));
  now_ += 1ns;
  EXPECT_TRUE(is_due(record_, now_));
  EXPECT_TRUE(note_check_passed(record_, now_));
  EXPECT_FALSE(is_ejected(record_));
  EXPECT_FALSE(note_check_passed(record_, now_)) << "it is in already";
}

TEST_F(Ejection, ends_with_a_trial_that_is_answered) {
  fail_out();
  now_ += 10s;
  begin_trial(record_, config_, now_);
  EXPECT_TRUE(is_ejected(record_)) << "for all but one";
  EXPECT_FALSE(is_due(record_, now_));
  EXPECT_TRUE(note_success(record_, now_));
  EXPECT_FALSE(is_ejected(record_));
}

TEST_F(Ejection, goes_on_longer_after_a_trial_that_fails) {
  fail_out();
  for (int times = 2; times <= 12; ++times) {
    now_ += time();
    begin_trial(record_, config_, now_);
    EXPECT_TRUE(fail(false)) << "it is out already: no others need be left";
    EXPECT_EQ(time(), 10s * std::min(times, 10));
  }
}

TEST_F(Ejection, has_another_trial_when_nothing_is_heard_of_one) {
  fail_out();
  now_ += 10s;
  begin_trial(record_, config_, now_);
  now_ += 10s;
  EXPECT_TRUE(is_due(record_, now_));
}

TEST_F(Ejection, is_longer_when_it_comes_again_soon) {
  fail_out();
  now_ += time();
  EXPECT_TRUE(note_check_passed(record_, now_));
  now_ += 9s;
  fail_out();
  EXPECT_EQ(time(), 20s);
}

TEST_F(Ejection, forgets_one_of_those_before_for_each_such_time_in_service) {
  for (int i = 0; i < 4; ++i) {
    fail_out();
    now_ += time();
    EXPECT_TRUE(note_check_passed(record_, now_));
  }
  now_ += 25s;  // 4, less 2, and this one
  fail_out();
  EXPECT_EQ(time(), 30s);
  now_ += time();
  EXPECT_TRUE(note_check_passed(record_, now_));
  now_ += 24h;
  fail_out();
  EXPECT_EQ(time(), 10s);
}

TEST_F(Ejection, is_forgiven_as_if_it_had_never_been) {
  fail_out();
  forgive(record_);
  EXPECT_FALSE(is_ejected(record_));
  EXPECT_FALSE(fail());
  EXPECT_EQ(record_.total.get(), 1U) << "but counted";
}

TEST_F(Ejection, believes_no_state_that_a_broken_worker_left) {
  record_.state.set(77);
  EXPECT_FALSE(fail());
  EXPECT_FALSE(note_success(record_, now_));
}

}  // namespace
}  // namespace holdfast::pool
