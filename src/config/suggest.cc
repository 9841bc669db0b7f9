#include "holdfast/config/suggest.h"

#include <algorithm>
#include <vector>

namespace holdfast {
namespace {

constexpr std::size_t kLongest = 64;  // no key is longer, and the distance is quadratic
constexpr std::size_t kMostListed = 32;

// Optimal string alignment distance: insertions, deletions, substitutions and swapped neighbours.
std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::vector<std::size_t>> cost(a.size() + 1, std::vector<std::size_t>(b.size() + 1));
  for (std::size_t i = 0; i <= a.size(); ++i) {
    for (std::size_t j = 0; j <= b.size(); ++j) {
      if (i == 0 || j == 0) {
        cost[i][j] = i + j;
        continue;
      }
      const std::size_t substitution = cost[i - 1][j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
      cost[i][j] = std::min({cost[i - 1][j] + 1, cost[i][j - 1] + 1, substitution});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
        cost[i][j] = std::min(cost[i][j], cost[i - 2][j - 2] + 1);
      }
    }
  }
  return cost[a.size()][b.size()];
}

}  // namespace

std::string suggest(std::string_view given, std::span<const std::string_view> known) {
  std::string_view nearest;
  std::size_t least = std::max<std::size_t>(given.size() / 3, 1) + 1;
  for (const auto word : known) {
    if (given.size() > kLongest || word.size() > kLongest) {
      continue;
    }
    if (const auto changes = distance(given, word); changes < least) {
      least = changes;
      nearest = word;
    }
  }
  if (!nearest.empty()) {
    return "did you mean '" + std::string(nearest) + "'?";
  }
  std::string list;
  for (const auto word : known.first(std::min(known.size(), kMostListed))) {
    list += (list.empty() ? "one of " : ", ") + std::string(word);
  }
  return list + (known.size() > kMostListed ? ", …" : "");
}

}  // namespace holdfast
