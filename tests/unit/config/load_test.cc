#include "holdfast/config/load.h"

#include <gmock/gmock.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <thread>

#include "holdfast/base/temporary_directory.h"
#include "support/config_text.h"

namespace holdfast {
namespace {

using testing::complaints_about;
using testing::config_with;
using ::testing::ElementsAre;

TEST(Load, finds_all_errors_at_once_in_the_order_of_the_file) {
  EXPECT_THAT(
      complaints_about("threads: many\n"
                       "listeners:\n"
                       "- name: web\n"
                       "  bind: 8080\n"
                       "  pool: wbe\n"
                       "  idle_timeout: 5\n"
                       "- { name: web, bind: \"127.0.0.1:80\", pol: web }\n"
                       "pools:\n"
                       "- name: web\n"
                       "  balance: fastest\n"
                       "  health: { rise: 0 }\n"
                       "  backends:\n"
                       "  - { name: a, address: \"127.0.0.1:0\" }\n"
                       "  - { name: b }\n"),
      ElementsAre(
          "1:10: error: 'many' is not a whole number from 1 to 64",
          "4:9: error: '8080' is not an address: write host:port, [ipv6]:port or unix:/path",
          "5:9: error: there is no pool 'wbe' | did you mean 'web'?",
          "6:17: error: '5' needs a unit: 5ms or 5s",
          "7:3: error: 'pool' is missing in listeners[1]",
          "7:11: error: listener 'web' exists already, in line 3 | give it another name",
          "7:38: error: unknown key 'pol' in listeners[1] | did you mean 'pool'?",
          "10:12: error: unknown value 'fastest' | one of round_robin, least_connections, "
          "power_of_two, "
          "random, first, maglev",
          "11:19: error: '0' is not a whole number from 1 to 100",
          "13:25: error: a backend can't have port 0 | write the port it listens on",
          "14:5: error: 'address' is missing in backends[1]"));
}

TEST(Load, gives_no_configuration_with_an_error) {
  EXPECT_FALSE(load_config(config_with({.top = "thread: 1"})).config);
  EXPECT_TRUE(load_config(config_with({.top = "threads: 1"})).config);
}

TEST(Load, points_out_what_it_renders) {
  const std::string text = config_with({.pool = "balance: round_robbin"});

  const auto shown = render(load_config(text).diagnostics, "conf.yaml", text);

  const auto column = text.substr(text.find('\n') + 1).find("round_robbin") + 1;
  EXPECT_THAT(shown, ::testing::StartsWith("conf.yaml:2:" + std::to_string(column) +
                                           ": error: unknown value 'round_robbin'\n"));
  EXPECT_THAT(shown, ::testing::HasSubstr("\n      | " + std::string(column - 1, ' ') +
                                          "^~~~~~~~~~~~\nhelp: did you mean 'round_robin'?\n"));
}

class ConfigFile : public ::testing::Test {
 protected:
  void write(const std::string& text) const { std::ofstream(file()) << text; }
  [[nodiscard]] std::string file() const { return directory_.file("holdfast.yaml"); }
  [[nodiscard]] const std::string& folder() const { return directory_.path(); }

 private:
  TemporaryDirectory directory_ = TemporaryDirectory::make().value();
};

TEST_F(ConfigFile, is_read_whole) {
  const std::string text(1 << 20, '#');
  write(text);

  EXPECT_EQ(read_config_file(file()).value(), text);
}

TEST_F(ConfigFile, may_be_a_pipe) {
  int ends[2];
  ASSERT_EQ(::pipe(ends), 0);
  const std::string text(1 << 18, 'x');
  std::thread writer([&] {
    for (std::size_t at = 0; at < text.size();) {
      at += static_cast<std::size_t>(::write(ends[1], text.data() + at, text.size() - at));
    }
    ::close(ends[1]);
  });

  const auto read = read_config_file("/dev/fd/" + std::to_string(ends[0]));
  writer.join();
  ::close(ends[0]);

  EXPECT_EQ(read.value(), text);
}

TEST_F(ConfigFile, is_refused_when_it_is_too_large_to_be_one) {
  write(std::string((1 << 20) + 1, '#'));

  const auto read = read_config_file(file());

  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().message, file() + " is larger than 1 MiB: that is no configuration");
}

TEST_F(ConfigFile, that_is_not_there_or_no_file_says_so) {
  EXPECT_EQ(read_config_file(file()).error().message,
            "cannot open " + file() + ": no such file or directory");
  EXPECT_EQ(read_config_file(folder()).error().message,
            "cannot read " + folder() + ": is a directory");
}

}  // namespace
}  // namespace holdfast
