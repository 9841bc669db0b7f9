#include "holdfast/base/descriptor_table.h"

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>
#include <string_view>

#include "holdfast/base/fd.h"

namespace holdfast {
namespace {

constexpr std::string_view kLabel = "\nFDSize:\t";

// 0 when it isn't to be had.
int size_now() {
  const Fd file(::open("/proc/self/status", O_RDONLY | O_CLOEXEC));
  if (!file.is_open()) {
    return 0;
  }
  std::array<char, 1024> buffer{};  // it is among the first lines
  const auto length = ::read(file.get(), buffer.data(), buffer.size());
  const std::string_view text(buffer.data(),
                              static_cast<std::size_t>(std::max<ssize_t>(length, 0)));
  const auto place = text.find(kLabel);
  int size = 0;
  if (place != std::string_view::npos) {
    const auto digits = text.substr(place + kLabel.size());
    std::from_chars(digits.data(), digits.data() + digits.size(), size);
  }
  return size;
}

}  // namespace

int descriptor_table_size() {
  if (const int size = size_now(); size > 0) {
    return size;
  }
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  return static_cast<int>(std::min<rlim_t>(limit.rlim_cur, std::numeric_limits<int>::max()));
}

}  // namespace holdfast
