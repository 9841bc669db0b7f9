#include "cli/line_reader.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <unistd.h>

namespace holdfast::cli {
namespace {

using namespace std::chrono_literals;
using testing::Optional;

class LineReaderTest : public testing::Test {
 protected:
  LineReaderTest() {
    int ends[2];
    EXPECT_EQ(::pipe2(ends, O_CLOEXEC | O_NONBLOCK), 0);
    reader_.emplace(Fd(ends[0]));
    writer_ = Fd(ends[1]);
  }

  void write(std::string_view text) {
    EXPECT_EQ(::write(writer_.get(), text.data(), text.size()), static_cast<ssize_t>(text.size()));
  }

  std::optional<LineReader> reader_;
  Fd writer_;
};

TEST_F(LineReaderTest, gives_whole_lines_only) {
  write("one\ntwo\nthr");

  EXPECT_THAT(reader_->next(), Optional(std::string("one")));
  EXPECT_THAT(reader_->next(), Optional(std::string("two")));
  EXPECT_EQ(reader_->next(), std::nullopt);
  write("ee\n");
  EXPECT_THAT(reader_->next(), Optional(std::string("three")));
}

TEST_F(LineReaderTest, gives_the_last_line_without_its_end) {
  write("last");
  writer_.reset();

  EXPECT_THAT(reader_->next(), Optional(std::string("last")));
  EXPECT_EQ(reader_->next(), std::nullopt);
  EXPECT_TRUE(reader_->ended());
}

TEST_F(LineReaderTest, cuts_a_line_without_end) {
  for (int i = 0; i < 17; ++i) {
    write(std::string(4096, 'a'));
    if (const auto line = reader_->next()) {
      EXPECT_EQ(line->size(), 65536U);
      return;
    }
  }
  FAIL() << "collected more than its limit";
}

TEST_F(LineReaderTest, stops_waiting_at_the_limit_and_at_the_end) {
  EXPECT_EQ(reader_->wait(1ms), std::nullopt);
  EXPECT_FALSE(reader_->ended());
  writer_.reset();
  EXPECT_EQ(reader_->wait(1h), std::nullopt);
  EXPECT_TRUE(reader_->ended());
}

}  // namespace
}  // namespace holdfast::cli
