// Any text as a configuration file: it is refused with diagnostics that can be shown, or is one
// that can be compared and judged again.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "holdfast/config/diff.h"
#include "holdfast/config/load.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto loaded = holdfast::load_config(text);
  static_cast<void>(holdfast::render(loaded.diagnostics, "fuzz.yaml", text));
  if (loaded.config.has_value() == holdfast::has_errors(loaded.diagnostics)) {
    std::abort();
  }
  if (loaded.config && !holdfast::diff(*loaded.config, *loaded.config).empty()) {
    std::abort();
  }
  return 0;
}
