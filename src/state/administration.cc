#include "holdfast/state/administration.h"

#include <algorithm>
#include <cstdlib>

namespace holdfast::state {

std::string_view to_string(AdminState state) {
  switch (state) {
    case AdminState::ready:
      return "ready";
    case AdminState::drain:
      return "drain";
    case AdminState::maint:
      return "maint";
  }
  std::abort();
}

Author to_author(std::string_view text) {
  Author author{};
  std::ranges::transform(text.substr(0, author.size() - 1), author.begin(), [](char letter) {
    const bool is_printable = letter > ' ' && letter <= '~';
    return is_printable ? letter : '?';
  });
  return author;
}

std::string_view to_view(const Author& author) {
  return {author.data(), static_cast<std::size_t>(
                             std::find(author.begin(), author.end() - 1, '\0') - author.begin())};
}

void AdminRecord::clear() {
  closing.begins_at.set(0);
  state.set(static_cast<std::uint32_t>(AdminState::ready));
  weight_is_set.set(0);
  set_at.set(0);
  set_by = {};
}

AdminState AdminRecord::current_state() const {
  return static_cast<AdminState>(std::min<std::uint32_t>(state.get(), kAdminStates - 1));
}

}  // namespace holdfast::state
