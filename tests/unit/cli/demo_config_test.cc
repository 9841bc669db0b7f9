#include "cli/demo_config.h"

#include <gmock/gmock.h>

namespace holdfast::cli {
namespace {

using testing::HasSubstr;

TEST(DemoConfig, names_the_listener_and_every_instance) {
  std::vector<InstanceProcess> instances;
  instances.push_back(InstanceProcess::make("holdfast", "web-1").value());
  instances.push_back(InstanceProcess::make("holdfast", "web-2").value());

  const auto text = demo_configuration("127.0.0.1:8080", instances);

  EXPECT_THAT(text, HasSubstr("bind: \"127.0.0.1:8080\""));
  for (const auto& instance : instances) {
    EXPECT_THAT(text, HasSubstr("{ name: " + instance.name() + ", address: \"" +
                                instance.address() + "\" }\n"));
  }
}

}  // namespace
}  // namespace holdfast::cli
