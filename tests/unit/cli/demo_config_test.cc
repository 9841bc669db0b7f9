#include "cli/demo_config.h"

#include <gmock/gmock.h>

#include "holdfast/config/load.h"

namespace holdfast::cli {
namespace {

using testing::HasSubstr;

std::vector<InstanceProcess> make_instances() {
  std::vector<InstanceProcess> instances;
  for (const auto* name : {"web-1", "web-2", "web-3"}) {
    instances.push_back(InstanceProcess::make("holdfast", name).value());
  }
  return instances;
}

TEST(DemoConfig, names_the_listener_and_every_instance) {
  const auto instances = make_instances();

  const auto text = demo_configuration("127.0.0.1:8080", "/tmp/a/control.sock", instances);

  EXPECT_THAT(text, HasSubstr("bind: \"127.0.0.1:8080\""));
  for (const auto& instance : instances) {
    EXPECT_THAT(text, HasSubstr("{ name: " + instance.name() + ", address: \"" +
                                instance.address() + "\" }\n"));
  }
}

TEST(DemoConfig, is_a_sound_configuration) {
  const auto loaded =
      load_config(demo_configuration("127.0.0.1:8080", "/tmp/a/control.sock", make_instances()));

  ASSERT_TRUE(loaded.config);
  EXPECT_TRUE(loaded.diagnostics.empty()) << loaded.diagnostics.front().message;
  EXPECT_EQ(loaded.config->admin.http->port, 0);
  EXPECT_EQ(loaded.config->admin.socket->path, "/tmp/a/control.sock");
  EXPECT_EQ(loaded.config->pools.at(0).name, kDemoPool);
}

}  // namespace
}  // namespace holdfast::cli
