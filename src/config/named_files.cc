#include "config/named_files.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "holdfast/base/fd.h"

namespace holdfast {
namespace {

constexpr std::size_t kLargestFile = 4 << 20;  // the system's own bundles have some 200 KiB

Result<std::string> read_regular_file(const std::string& path) {
  // Without waiting: a FIFO would make us wait for whoever writes to it.
  const Fd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  struct stat found {};
  if (!file.is_open() || ::fstat(file.get(), &found) != 0) {
    return fail("cannot open " + path, errno);
  }
  if (!S_ISREG(found.st_mode) || static_cast<std::size_t>(found.st_size) > kLargestFile) {
    return fail(path + " is not a file of certificates");
  }
  std::string text(static_cast<std::size_t>(found.st_size), '\0');
  const ssize_t got = ::read(file.get(), text.data(), text.size());
  if (got < 0) {
    return fail("cannot read " + path, errno);
  }
  text.resize(static_cast<std::size_t>(got));
  return text;
}

}  // namespace

void check_files(const Config& config, Diagnostics& diagnostics) {
  for (const auto& pool : config.pools) {
    if (!pool.health.tls || !pool.health.tls->ca.starts_with('/') ||
        pool.health.type == CheckType::none) {
      continue;
    }
    const auto& tls = *pool.health.tls;
    const auto text = read_regular_file(tls.ca);
    if (!text) {
      error(diagnostics, tls.ca_mark, text.error().message,
            "a file of PEM certificates, which holdfast may read", tls.ca.size());
    } else if (text->find("-----BEGIN CERTIFICATE-----") == std::string::npos) {
      error(diagnostics, tls.ca_mark, tls.ca + " has no certificate in it",
            "certificates in PEM begin with -----BEGIN CERTIFICATE-----", tls.ca.size());
    }
  }
}

}  // namespace holdfast
