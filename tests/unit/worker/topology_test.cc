#include "worker/topology.h"

#include <gmock/gmock.h>

#include "holdfast/state/region.h"
#include "support/text_log.h"

namespace holdfast::worker {
namespace {

using state::Health;
using ::testing::HasSubstr;

BackendConfig backend(std::string name, std::string_view address, unsigned weight = 1) {
  BackendConfig config;
  config.name = std::move(name);
  config.address = Endpoint::parse(address).value();
  config.weight = weight;
  return config;
}

PoolConfig pool(std::string name, std::vector<BackendConfig> backends) {
  PoolConfig config;
  config.name = std::move(name);
  config.backends = std::move(backends);
  return config;
}

class TopologyTest : public ::testing::Test {
 protected:
  auto make(std::vector<PoolConfig> pools) {
    Config config;
    config.pools = std::move(pools);
    return make_topology(config, false, region_.shared(), log_.log()).value().pools;
  }

  state::Region region_ = state::Region::create(1).value();
  state::SharedState& shared_ = region_.shared();
  testing::TextLog log_;
};

TEST_F(TopologyTest, numbers_the_backends_of_all_pools_without_a_gap) {
  const auto pools = make({pool("web", {backend("a", "127.0.0.1:1"), backend("b", "[::1]:2")}),
                           pool("db", {backend("a", "unix:/run/db.sock", 7)})});
  ASSERT_EQ(pools.size(), 2U);
  EXPECT_EQ(pools[0]->backends()[1].index, 1);
  EXPECT_EQ(pools[0]->backends()[1].address->to_string(), "[::1]:2");
  EXPECT_EQ(pools[1]->backends()[0].index, 2);
  EXPECT_EQ(pools[1]->backends()[0].address->to_string(), "unix:/run/db.sock");
  EXPECT_EQ(pools[1]->index(), 1);
}

TEST_F(TopologyTest, names_the_entries_that_others_read) {
  static_cast<void>(make({pool("web", {backend("a", "127.0.0.1:1")}),
                          pool("db", {backend("main", "127.0.0.1:2", 7)})}));
  EXPECT_EQ(state::to_view(shared_.pools[1].name), "db");
  const auto& entry = shared_.backends[1];
  EXPECT_EQ(state::to_view(entry.name), "main");
  EXPECT_EQ(entry.pool, 1);
  EXPECT_EQ(entry.weight.get(), 7U);
  EXPECT_GT(entry.changed_at.get(), 0U);
  EXPECT_EQ(state::to_view(shared_.backends[2].name), "");
}

TEST_F(TopologyTest, lets_a_backend_serve_before_its_first_check) {
  const auto pools = make({pool("web", {backend("a", "127.0.0.1:1")})});
  EXPECT_EQ(shared_.backends[0].current_health(), Health::unknown);
  EXPECT_EQ(pools[0]->serving(), 1U);
}

TEST_F(TopologyTest, gives_a_resolved_name_the_port_of_its_backend) {
  const auto pools =
      make({pool("web", {backend("a", "localhost:8080"), backend("b", "localhost:9090")})});
  EXPECT_EQ(pools[0]->backends()[0].address->to_string(), "127.0.0.1:8080");
  EXPECT_EQ(pools[0]->backends()[1].address->to_string(), "127.0.0.1:9090");
}

// scar 38: never up without an address.
TEST_F(TopologyTest, starts_with_a_backend_down_whose_name_fails_and_says_so) {
  const auto nowhere = std::string(64, 'x') + ".invalid:80";
  const auto pools =
      make({pool("web", {backend("lost", nowhere), backend("found", "127.0.0.1:1")})});
  EXPECT_FALSE(pools[0]->backends()[0].address.has_value());
  EXPECT_EQ(shared_.backends[0].current_health(), Health::down);
  EXPECT_EQ(shared_.backends[0].health.state, Health::down);
  EXPECT_EQ(pools[0]->serving(), 1U);
  EXPECT_EQ(pools[0]->pick({})->name, "found");
  EXPECT_THAT(log_.text(), HasSubstr("warning backend down pool=web backend=lost reason="));
  EXPECT_THAT(log_.text(), HasSubstr("address=" + nowhere));
}

}  // namespace
}  // namespace holdfast::worker
