#include "holdfast/base/temporary_directory.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "holdfast/config/load.h"

namespace holdfast {
namespace {

TEST(TemporaryDirectory, is_gone_with_its_files_when_its_owner_is) {
  std::string path;
  {
    const auto directory = TemporaryDirectory::make();
    ASSERT_TRUE(directory);
    path = directory->path();
    const auto file = directory->write("a.yaml", "some text");
    ASSERT_TRUE(file);
    EXPECT_EQ(*file, path + "/a.yaml");
    EXPECT_EQ(read_config_file(*file).value(), "some text");
  }
  EXPECT_FALSE(std::filesystem::exists(path));
}

TEST(TemporaryDirectory, is_for_nobody_else) {
  const auto directory = TemporaryDirectory::make();
  ASSERT_TRUE(directory);

  EXPECT_EQ(std::filesystem::status(directory->path()).permissions(),
            std::filesystem::perms::owner_all);
}

TEST(TemporaryDirectory, goes_with_the_owner_it_was_moved_to) {
  auto first = TemporaryDirectory::make();
  ASSERT_TRUE(first);
  const auto path = first->path();
  {
    const TemporaryDirectory second(std::move(*first));
    EXPECT_EQ(second.path(), path);
  }
  EXPECT_FALSE(std::filesystem::exists(path));
}

TEST(TemporaryDirectory, says_what_it_cannot_write) {
  const auto directory = TemporaryDirectory::make();
  ASSERT_TRUE(directory);

  const auto file = directory->write("none/a.yaml", "some text");

  ASSERT_FALSE(file);
  EXPECT_EQ(file.error().message, "cannot write " + directory->path() + "/none/a.yaml");
}

}  // namespace
}  // namespace holdfast
