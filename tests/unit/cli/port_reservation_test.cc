#include "cli/port_reservation.h"

#include <gtest/gtest.h>

#include "holdfast/base/socket.h"

namespace holdfast::cli {
namespace {

TEST(PortReservation, lets_listeners_bind_its_port_again_and_again) {
  const auto reservation = PortReservation::make();
  ASSERT_TRUE(reservation);

  for (int i = 0; i < 2; ++i) {
    EXPECT_TRUE(listen_on(reservation->address(), false));
    EXPECT_TRUE(listen_on(reservation->address(), true));
  }
}

TEST(PortReservation, leaves_a_second_listener_an_error) {
  const auto reservation = PortReservation::make();
  ASSERT_TRUE(reservation);
  const auto first = listen_on(reservation->address(), false);

  EXPECT_FALSE(listen_on(reservation->address(), false));
}

TEST(PortReservation, accepts_no_connection_itself) {
  const auto reservation = PortReservation::make();
  ASSERT_TRUE(reservation);

  const auto connection = start_connect(reservation->address());

  EXPECT_TRUE(!connection || finish_connect(connection->get()) != 0);
}

}  // namespace
}  // namespace holdfast::cli
