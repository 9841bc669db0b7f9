#include "worker/topology.h"

#include <gmock/gmock.h>

#include "holdfast/state/region.h"
#include "support/text_log.h"

namespace holdfast::worker {
namespace {

using state::Health;

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
    topology_ = make_topology(config, resolve_names(config), topology_, entries_, shared_).value();
    publish(config, topology_, shared_);
    return topology_.pools;
  }

  state::Region region_ = state::Region::create(1).value();
  state::SharedState& shared_ = region_.shared();
  Entries entries_{shared_};
  Topology topology_;
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
TEST_F(TopologyTest, starts_with_a_backend_down_whose_name_fails) {
  const auto nowhere = std::string(64, 'x') + ".invalid:80";
  const auto pools =
      make({pool("web", {backend("lost", nowhere), backend("found", "127.0.0.1:1")})});
  EXPECT_FALSE(pools[0]->backends()[0].address.has_value());
  EXPECT_EQ(shared_.backends[0].current_health(), Health::down);
  EXPECT_EQ(shared_.backends[0].health.state, Health::down);
  EXPECT_EQ(pools[0]->serving(), 1U);
  EXPECT_EQ(pools[0]->pick({})->name, "found");
}

TEST_F(TopologyTest, keeps_what_a_backend_has_when_the_configuration_changes) {
  static_cast<void>(
      make({pool("web", {backend("a", "127.0.0.1:1"), backend("b", "127.0.0.1:2")})}));
  shared_.backends[1].published_health.set(static_cast<std::uint32_t>(Health::down));
  shared_.backends[1].turn = 5;

  const auto pools =
      make({pool("web", {backend("b", "127.0.0.1:2", 7), backend("c", "127.0.0.1:3")})});

  EXPECT_EQ(pools[0]->backends()[0].index, 1);
  EXPECT_EQ(shared_.backends[1].current_health(), Health::down);
  EXPECT_EQ(shared_.backends[1].turn, 5);
  EXPECT_EQ(shared_.backends[1].weight.get(), 7U);
  EXPECT_EQ(shared_.backends[1].retired.get(), 0U);
  EXPECT_EQ(shared_.backends[0].retired.get(), 1U);
  EXPECT_EQ(pools[0]->backends()[1].index, 2);
}

void set_weight(state::BackendEntry& entry, unsigned weight) {
  entry.admin.weight_is_set.set(1);
  entry.weight.set(weight);
}

TEST_F(TopologyTest, keeps_the_weight_of_an_operator_until_the_file_has_another_one) {
  static_cast<void>(make({pool("web", {backend("a", "127.0.0.1:1", 2)})}));
  set_weight(shared_.backends[0], 5);
  static_cast<void>(make({pool("web", {backend("a", "127.0.0.1:1", 2)})}));
  EXPECT_EQ(shared_.backends[0].weight.get(), 5U);
  static_cast<void>(make({pool("web", {backend("a", "127.0.0.1:1", 3)})}));
  EXPECT_EQ(shared_.backends[0].weight.get(), 3U);
  EXPECT_EQ(shared_.backends[0].admin.weight_is_set.get(), 0U);
}

TEST_F(TopologyTest, takes_the_file_s_weight_though_an_operator_has_set_the_same) {
  static_cast<void>(make({pool("web", {backend("a", "127.0.0.1:1", 2)})}));
  set_weight(shared_.backends[0], 5);
  static_cast<void>(make({pool("web", {backend("a", "127.0.0.1:1", 5)})}));
  static_cast<void>(make({pool("web", {backend("a", "127.0.0.1:1", 2)})}));
  EXPECT_EQ(shared_.backends[0].weight.get(), 2U);
}

TEST_F(TopologyTest, keeps_what_an_operator_made_of_a_backend_as_long_as_that_is_configured) {
  static_cast<void>(
      make({pool("web", {backend("a", "127.0.0.1:1"), backend("b", "127.0.0.1:2")})}));
  auto& admin = shared_.backends[0].admin;
  admin.state.set(static_cast<std::uint32_t>(state::AdminState::maint));
  admin.set_by = state::to_author("anna");
  static_cast<void>(make({pool("web", {backend("a", "127.0.0.1:9")})}));
  EXPECT_EQ(admin.current_state(), state::AdminState::maint);
  EXPECT_EQ(state::to_view(admin.set_by), "anna");
  // Gone, and back while it still has connections.
  static_cast<void>(make({pool("web", {backend("b", "127.0.0.1:2")})}));
  static_cast<void>(make({pool("web", {backend("a", "127.0.0.1:9")})}));
  EXPECT_EQ(admin.current_state(), state::AdminState::ready);
  EXPECT_EQ(state::to_view(admin.set_by), "");
}

TEST_F(TopologyTest, begins_anew_with_a_backend_at_another_address) {
  static_cast<void>(make({pool("web", {backend("a", "127.0.0.1:1")})}));
  shared_.backends[0].published_health.set(static_cast<std::uint32_t>(Health::down));
  static_cast<void>(make({pool("web", {backend("a", "127.0.0.1:2")})}));
  EXPECT_EQ(shared_.backends[0].current_health(), Health::unknown);
}

TEST_F(TopologyTest, takes_a_backend_back_in_that_was_down_when_its_checks_were_turned_off) {
  static_cast<void>(make({pool("web", {backend("a", "127.0.0.1:1")})}));
  shared_.backends[0].published_health.set(static_cast<std::uint32_t>(Health::down));
  auto unchecked = pool("web", {backend("a", "127.0.0.1:1")});
  unchecked.health.type = CheckType::none;
  EXPECT_EQ(make({unchecked})[0]->serving(), 1U);
}

TEST_F(TopologyTest, gives_the_entry_of_a_backend_that_is_gone_to_the_next_new_one) {
  static_cast<void>(
      make({pool("web", {backend("a", "127.0.0.1:1"), backend("b", "127.0.0.1:2")})}));
  static_cast<void>(make({pool("web", {backend("b", "127.0.0.1:2")})}));
  shared_.per_thread[0].backends[0].connections.add(3);
  shared_.threads.set(1);
  entries_.free_backend(0);

  static_cast<void>(
      make({pool("web", {backend("b", "127.0.0.1:2"), backend("c", "127.0.0.1:3")})}));

  EXPECT_EQ(state::to_view(shared_.backends[0].name), "c");
  EXPECT_EQ(shared_.backends[0].retired.get(), 0U);
  EXPECT_EQ(shared_.per_thread[0].backends[0].connections.get(), 0U);
}

TEST_F(TopologyTest, knows_the_addresses_of_names_that_a_worker_before_resolved) {
  Config config;
  config.pools = {pool("web", {backend("a", "localhost:80"), backend("b", "nowhere.invalid:80")})};
  const Answers answers = {
      {"localhost", SocketAddress::from(Endpoint::parse("127.0.0.9:1").value())},
      {"nowhere.invalid", fail("no such name")}};
  topology_ = make_topology(config, answers, topology_, entries_, shared_).value();
  publish(config, topology_, shared_);

  const auto known = known_addresses(config, entries_, shared_);

  ASSERT_EQ(known.size(), 1U);
  EXPECT_EQ(known.at("localhost").to_string(), "127.0.0.9:80");
}

// Of a pool to which a backend is added while the name servers are out of order.
TEST_F(TopologyTest, asks_for_no_name_that_is_known_be_it_of_a_backend_or_of_its_checks) {
  Config config;
  config.pools = {pool("web", {backend("a", "service.invalid:80")})};
  config.pools[0].health.address = Endpoint::parse("checks.invalid:81").value();
  const auto known_as = [](const char* text) {
    return SocketAddress::from(Endpoint::parse(text).value()).value();
  };
  const std::map<std::string, SocketAddress> known = {{"service.invalid", known_as("127.0.0.8:1")},
                                                      {"checks.invalid", known_as("127.0.0.9:1")}};

  const auto made =
      make_topology(config, resolve_names(config, known), topology_, entries_, shared_).value();

  const auto& a = made.pools[0]->backends()[0];
  EXPECT_EQ(a.address.value().to_string(), "127.0.0.8:80");
  EXPECT_EQ(a.check_address.value().to_string(), "127.0.0.9:81");
}

TEST_F(TopologyTest, publishes_the_tier_of_a_backend) {
  auto in_reserve = backend("b", "127.0.0.1:2");
  in_reserve.tier = 2;
  static_cast<void>(make({pool("web", {backend("a", "127.0.0.1:1"), in_reserve})}));
  EXPECT_EQ(shared_.backends[0].tier.get(), 0U);
  EXPECT_EQ(shared_.backends[1].tier.get(), 2U);
}

}  // namespace
}  // namespace holdfast::worker
