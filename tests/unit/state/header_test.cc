#include "holdfast/state/header.h"

#include <gmock/gmock.h>

#include <cstddef>

#include "holdfast/state/shared_state.h"

namespace holdfast::state {
namespace {

using ::testing::HasSubstr;

constexpr std::uint64_t kRegion =
    sizeof(SharedState) + sizeof(ConnectionRecord) * kMaxThreads * std::uint64_t{4};

TEST(Header, is_understood_by_the_build_that_wrote_it) {
  EXPECT_TRUE(check_header(make_header(kRegion, 4), kRegion).has_value());
}

TEST(Header, of_another_version_is_named) {
  auto header = make_header(kRegion, 4);
  header.layout_version = 99;
  const auto checked = check_header(header, kRegion);
  ASSERT_FALSE(checked.has_value());
  EXPECT_EQ(checked.error().message,
            "the running instance keeps its state in layout version 99, this build in version " +
                std::to_string(kLayoutVersion));
}

TEST(Header, must_fit_the_memory_it_stands_in) {
  for (const auto region : {kRegion - 1, kRegion + 1}) {
    EXPECT_FALSE(check_header(make_header(kRegion, 4), region).has_value());
  }
  EXPECT_FALSE(check_header(make_header(kRegion, 5), kRegion).has_value());
  auto smaller = make_header(kRegion, 4);
  --smaller.record_size;
  EXPECT_THAT(check_header(smaller, kRegion).error().message, HasSubstr("another size"));
}

// What kLayoutVersion 3 stands for. When this fails, the layout has changed: raise the version,
// then write the new numbers here.
TEST(Header, has_a_version_of_its_own_for_every_layout) {
  EXPECT_EQ(kLayoutVersion, 3U);
  EXPECT_EQ(sizeof(ConnectionRecord), 128U);
  EXPECT_EQ(offsetof(ConnectionRecord, state), 32U);
  EXPECT_EQ(offsetof(ConnectionRecord, to_client), 80U);
  EXPECT_EQ(sizeof(ListeningSocket), 280U);
  EXPECT_EQ(sizeof(ListenerEntry), 88U);
  EXPECT_EQ(sizeof(PoolEntry), 336U);
  EXPECT_EQ(sizeof(BackendEntry), 448U);
  EXPECT_EQ(sizeof(ThreadState), 731200U);
  EXPECT_EQ(sizeof(Supervision), 288U);
  EXPECT_EQ(offsetof(SharedState, sockets), 132056U);
  EXPECT_EQ(offsetof(SharedState, backends), 2534400U);
  EXPECT_EQ(sizeof(SharedState), 51166208U);
  EXPECT_EQ(sizeof(EventRing), 131080U);
}

}  // namespace
}  // namespace holdfast::state
