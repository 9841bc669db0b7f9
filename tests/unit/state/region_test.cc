#include "holdfast/state/region.h"

#include <gmock/gmock.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdint>

#include "support/limit_scope.h"
#include "support/tcp.h"

namespace holdfast::state {
namespace {

using testing::LimitScope;

TEST(Region, begins_with_nothing_in_it) {
  const auto region = Region::create(10).value();
  const auto& shared = region.shared();
  EXPECT_EQ(shared.connections.get(), 0U);
  EXPECT_EQ(shared.current_phase(), Phase::starting);
  EXPECT_EQ(to_view(shared.backends[0].name), "");
  EXPECT_EQ(shared.backends[kMaxBackends - 1].current_health(), Health::unknown);
  EXPECT_TRUE(std::ranges::all_of(region.records(1), [](const ConnectionRecord& record) {
    return record.state == ConnectionState::free;
  }));
}

TEST(Region, gives_each_thread_records_of_its_own_behind_the_shared_state) {
  const auto region = Region::create(7).value();
  const auto* expected = reinterpret_cast<const ConnectionRecord*>(&region.shared() + 1);
  for (unsigned thread = 0; thread < 3; ++thread) {
    const auto records = region.records(thread);
    EXPECT_EQ(records.size(), 7U);
    EXPECT_EQ(records.data(), expected);
    expected += records.size();
  }
  // The last byte is mapped too.
  region.records(2)[6].to_client.delivered = 1;
}

TEST(Region, aligns_what_different_threads_write_to_cache_lines) {
  const auto region = Region::create(1).value();
  EXPECT_EQ(reinterpret_cast<std::uintptr_t>(&region.shared().per_thread[1]) % 64, 0U);
  EXPECT_EQ(reinterpret_cast<std::uintptr_t>(&region.shared().backends[1]) % 64, 0U);
  EXPECT_EQ(reinterpret_cast<std::uintptr_t>(region.records(0).data()) % alignof(ConnectionRecord),
            0U);
}

TEST(Region, stays_where_it_is_when_its_owner_moves) {
  auto first = Region::create(4).value();
  first.records(0)[3].id = 42;
  const auto* where = &first.shared();
  const Region second(std::move(first));
  EXPECT_EQ(&second.shared(), where);
  EXPECT_EQ(second.records(0)[3].id, 42U);
}

TEST(Region, leaves_no_descriptor_behind) {
  const auto before = testing::open_descriptors();
  {
    auto first = Region::create(4).value();
    const Region second(std::move(first));
    EXPECT_EQ(testing::open_descriptors(), before + 1);
  }
  EXPECT_EQ(testing::open_descriptors(), before);
}

TEST(Region, says_that_descriptors_ran_out) {
  const LimitScope limit(RLIMIT_NOFILE, 0);
  const auto region = Region::create(4);
  ASSERT_FALSE(region.has_value());
  EXPECT_EQ(region.error().message, "cannot make shared memory: too many open files");
}

TEST(Region, says_that_it_may_not_be_so_large_and_keeps_nothing) {
  const auto before = testing::open_descriptors();
  auto* usual = std::signal(SIGXFSZ, SIG_IGN);
  {
    const LimitScope limit(RLIMIT_FSIZE, 4096);
    const auto region = Region::create(4);
    ASSERT_FALSE(region.has_value());
    EXPECT_EQ(region.error().message, "cannot size shared memory: file too large");
  }
  std::signal(SIGXFSZ, usual);
  EXPECT_EQ(testing::open_descriptors(), before);
}

TEST(Region, is_found_again_by_whoever_inherits_its_descriptor) {
  const auto first = Region::create(4).value();
  first.records(63)[3].id = 42;
  const auto second = Region::adopt(Fd(::dup(first.fd()))).value();
  EXPECT_NE(&second.shared(), &first.shared());
  EXPECT_EQ(second.records(63)[3].id, 42U);
}

TEST(Region, of_another_layout_is_refused) {
  const auto first = Region::create(4).value();
  first.shared().header.layout_version = kLayoutVersion + 1;
  const auto second = Region::adopt(Fd(::dup(first.fd())));
  ASSERT_FALSE(second.has_value());
  EXPECT_THAT(second.error().message, ::testing::HasSubstr("layout version"));
}

TEST(Region, is_not_any_file) {
  const auto second = Region::adopt(Fd(::memfd_create("other", MFD_CLOEXEC)));
  ASSERT_FALSE(second.has_value());
  EXPECT_EQ(second.error().message, "this is not holdfast's shared memory");
}

}  // namespace
}  // namespace holdfast::state
