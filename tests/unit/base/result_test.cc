#include "holdfast/base/result.h"

#include <gtest/gtest.h>

#include <cerrno>

namespace holdfast {
namespace {

TEST(ErrorText, reads_as_a_part_of_a_sentence) {
  EXPECT_EQ(error_text(ECONNREFUSED), "connection refused");
  EXPECT_EQ(error_text(EMFILE), "too many open files");
}

TEST(ErrorText, leaves_an_abbreviation_in_front_as_it_is) {
  EXPECT_EQ(error_text(EDOTDOT), "RFS specific error");
}

TEST(ErrorText, has_words_for_a_number_that_is_no_errno) {
  EXPECT_EQ(error_text(99999), "unknown error 99999");
}

TEST(SystemError, says_what_failed_and_why_and_keeps_the_number) {
  const auto error = system_error("cannot listen on 127.0.0.1:80", EACCES);
  EXPECT_EQ(error.message, "cannot listen on 127.0.0.1:80: permission denied");
  EXPECT_EQ(error.code, EACCES);
}

TEST(Fail, makes_the_error_of_any_result) {
  const Result<int> in_words = fail("no such pool");
  ASSERT_FALSE(in_words.has_value());
  EXPECT_EQ(in_words.error().message, "no such pool");
  EXPECT_EQ(in_words.error().code, 0);

  const Result<void> with_errno = fail("connect", ETIMEDOUT);
  ASSERT_FALSE(with_errno.has_value());
  EXPECT_EQ(with_errno.error().message, "connect: connection timed out");
  EXPECT_EQ(with_errno.error().code, ETIMEDOUT);
}

}  // namespace
}  // namespace holdfast
