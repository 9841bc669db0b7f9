#include "holdfast/base/result.h"

#include <cctype>
#include <cstring>

namespace holdfast {

std::string error_text(int code) {
  char buffer[128];
  std::string text = strerror_r(code, buffer, sizeof buffer);  // the GNU variant, thread-safe
  if (text.size() > 1 && std::islower(static_cast<unsigned char>(text[1])) != 0) {
    text[0] = static_cast<char>(std::tolower(static_cast<unsigned char>(text[0])));
  }
  return text;
}

Error system_error(std::string_view what, int code) {
  return Error{std::string(what) + ": " + error_text(code), code};
}

}  // namespace holdfast
