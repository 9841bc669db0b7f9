#include "holdfast/config/load.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <tuple>

#include "config/named_files.h"
#include "config/validate.h"
#include "config/yaml.h"
#include "holdfast/base/fd.h"

namespace holdfast {
namespace {

constexpr std::size_t kLargestFile = 1 << 20;

LoadedConfig load(std::string_view text, bool is_new) {
  LoadedConfig loaded;
  auto config = parse_yaml(text, loaded.diagnostics);
  validate(config, loaded.diagnostics);
  if (is_new) {
    check_files(config, loaded.diagnostics);
  }
  std::ranges::stable_sort(loaded.diagnostics, [](const auto& a, const auto& b) {
    return std::tie(a.mark.line, a.mark.column) < std::tie(b.mark.line, b.mark.column);
  });
  loaded.admin = config.admin;
  if (!has_errors(loaded.diagnostics)) {
    loaded.config = std::move(config);
  }
  return loaded;
}

}  // namespace

LoadedConfig load_config(std::string_view text) {
  return load(text, false);
}

LoadedConfig load_new_config(std::string_view text) {
  return load(text, true);
}

Result<std::string> read_config_file(const std::string& path) {
  const Fd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file.is_open()) {
    return fail("cannot open " + path, errno);
  }
  std::string text;
  char chunk[16 * 1024];
  for (;;) {
    const ssize_t got = ::read(file.get(), chunk, sizeof chunk);
    if (got == 0) {
      return text;
    }
    if (got < 0 && errno == EINTR) {
      continue;
    }
    if (got < 0) {
      return fail("cannot read " + path, errno);
    }
    text.append(chunk, static_cast<std::size_t>(got));
    if (text.size() > kLargestFile) {
      return fail(path + " is larger than 1 MiB: that is no configuration");
    }
  }
}

}  // namespace holdfast
