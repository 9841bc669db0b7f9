#include "holdfast/state/administration.h"

#include <gtest/gtest.h>

#include <string>

namespace holdfast::state {
namespace {

TEST(Author, is_the_name_that_was_given) {
  EXPECT_EQ(to_view(to_author("anna")), "anna");
  EXPECT_EQ(to_view(to_author("")), "");
}

TEST(Author, is_cut_to_what_has_room) {
  EXPECT_EQ(to_view(to_author(std::string(100, 'a'))), std::string(31, 'a'));
}

TEST(Author, holds_nothing_that_could_forge_a_line) {
  EXPECT_EQ(to_view(to_author("an na\n\x1b\xff=x")), "an\?na\?\?\?=x");
}

TEST(AdminRecord, is_ready_when_it_is_all_zeroes) {
  const AdminRecord record;
  EXPECT_TRUE(record.is_ready());
  EXPECT_FALSE(record.closing.is_set());
}

TEST(AdminRecord, keeps_what_the_configuration_says_when_it_is_cleared) {
  AdminRecord record;
  record.state.set(static_cast<std::uint32_t>(AdminState::drain));
  record.configured_weight.set(7);
  record.closing.begins_at.set(1);
  record.set_by = to_author("anna");

  record.clear();

  EXPECT_TRUE(record.is_ready());
  EXPECT_FALSE(record.closing.is_set());
  EXPECT_EQ(to_view(record.set_by), "");
  EXPECT_EQ(record.configured_weight.get(), 7U);
}

}  // namespace
}  // namespace holdfast::state
