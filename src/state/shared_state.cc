#include "holdfast/state/shared_state.h"

#include <algorithm>
#include <cstdlib>

namespace holdfast::state {

std::string_view to_string(Health health) {
  switch (health) {
    case Health::unknown:
      return "unknown";
    case Health::up:
      return "up";
    case Health::down:
      return "down";
  }
  std::abort();
}

std::string_view to_string(ConnectFailure failure) {
  switch (failure) {
    case ConnectFailure::refused:
      return "refused";
    case ConnectFailure::reset:
      return "reset";
    case ConnectFailure::unreachable:
      return "unreachable";
    case ConnectFailure::timeout:
      return "timeout";
    case ConnectFailure::local:
      return "local";
    case ConnectFailure::other:
      return "other";
  }
  std::abort();
}

std::string_view to_string(CloseCause cause) {
  switch (cause) {
    case CloseCause::finished:
      return "finished";
    case CloseCause::client_reset:
      return "client_reset";
    case CloseCause::backend_reset:
      return "backend_reset";
    case CloseCause::idle_timeout:
      return "idle_timeout";
    case CloseCause::half_close_timeout:
      return "half_close_timeout";
    case CloseCause::shutdown:
      return "shutdown";
    case CloseCause::backend_down:
      return "backend_down";
    case CloseCause::drained:
      return "drained";
    case CloseCause::lower_tier_up:
      return "lower_tier_up";
  }
  std::abort();
}

std::string_view to_string(Rejection rejection) {
  switch (rejection) {
    case Rejection::no_backend:
      return "no_backend";
    case Rejection::shutdown:
      return "shutdown";
    case Rejection::backends_full:
      return "backends_full";
    case Rejection::queue_full:
      return "queue_full";
    case Rejection::queue_timeout:
      return "queue_timeout";
    case Rejection::queue_left:
      return "queue_left";
    case Rejection::client_left:
      return "client_left";
  }
  std::abort();
}

Name to_name(std::string_view text) {
  Name name{};
  std::copy_n(text.begin(), std::min(text.size(), kNameSize - 1), name.begin());
  return name;
}

std::string_view to_view(const Name& name) {
  return {name.data(),
          static_cast<std::size_t>(std::find(name.begin(), name.end() - 1, '\0') - name.begin())};
}

}  // namespace holdfast::state
