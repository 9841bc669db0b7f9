#include "holdfast/guardian/backoff.h"

#include <algorithm>

namespace holdfast::guardian {
namespace {

using namespace std::chrono_literals;

constexpr Duration kShortLife = 200ms;
constexpr unsigned kFree = 3;  // short lives in a row that cost no waiting
constexpr Duration kFirst = 10ms;
constexpr Duration kLongest = 1s;

}  // namespace

Duration Backoff::after_life_of(Duration life) {
  if (life >= kShortLife) {
    short_lives_ = 0;
    return Duration::zero();
  }
  ++short_lives_;
  if (short_lives_ <= kFree) {
    return Duration::zero();
  }
  const unsigned doublings = std::min(short_lives_ - kFree - 1, 10U);
  return std::min<Duration>(kFirst * (1U << doublings), kLongest);
}

}  // namespace holdfast::guardian
