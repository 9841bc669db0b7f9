#include "holdfast/state/connection_record.h"

#include <gtest/gtest.h>

#include <array>
#include <bit>
#include <cstddef>

namespace holdfast::state {
namespace {

TEST(ConnectionRecord, costs_an_idle_connection_no_more_than_two_cache_lines) {
  EXPECT_LE(sizeof(ConnectionRecord), 128U);
  EXPECT_EQ(sizeof(ConnectionRecord) % alignof(ConnectionRecord), 0U);
}

TEST(ConnectionRecord, has_the_same_bytes_in_every_build) {
  EXPECT_EQ(sizeof(FlowRecord), 24U);
  EXPECT_EQ(offsetof(ConnectionRecord, client_fd), 24U);
  EXPECT_EQ(offsetof(ConnectionRecord, backend_fd), 28U);
  EXPECT_EQ(offsetof(ConnectionRecord, state), 32U);
  EXPECT_EQ(offsetof(ConnectionRecord, tried), 40U);
  EXPECT_EQ(offsetof(ConnectionRecord, to_backend), 56U);
  EXPECT_EQ(offsetof(ConnectionRecord, to_client), 80U);
  EXPECT_EQ(offsetof(ConnectionRecord, second_fd), 104U);
  EXPECT_EQ(sizeof(ConnectionRecord), 128U);
}

TEST(ConnectionRecord, is_free_and_names_no_descriptor_at_first) {
  const ConnectionRecord record;
  EXPECT_EQ(record.state, ConnectionState::free);
  EXPECT_EQ(record.client_fd, -1);
  EXPECT_EQ(record.backend_fd, -1);
  EXPECT_EQ(record.backend, kNoBackend);
  EXPECT_EQ(record.attempts, 0);
  for (const auto* flow : {&record.to_backend, &record.to_client}) {
    EXPECT_EQ(flow->pipe_read, -1);
    EXPECT_EQ(flow->pipe_write, -1);
    EXPECT_EQ(flow->held, 0U);
    EXPECT_EQ(flow->state, FlowState::open);
  }
}

// Pages of a fresh region that nobody has touched hold zeroes.
TEST(ConnectionRecord, is_free_when_all_its_bytes_are_zero) {
  const auto record =
      std::bit_cast<ConnectionRecord>(std::array<std::byte, sizeof(ConnectionRecord)>{});
  EXPECT_EQ(record.state, ConnectionState::free);
}

}  // namespace
}  // namespace holdfast::state
