#include "config/percentage.h"

#include <charconv>

namespace holdfast {

void read_percentage(Reader& reader, const YAML::Node& node, unsigned& value) {
  const auto given = reader.text(node);
  if (!given) {
    return;
  }
  unsigned number = 0;
  const char* last = given->data() + given->size();
  const auto [end, code] = std::from_chars(given->data(), last, number);
  const std::string_view sign(end, static_cast<std::size_t>(last - end));
  if (code == std::errc() && number <= 100 && sign == "%") {
    value = number;
    return;
  }
  const bool only_the_sign = code == std::errc() && number <= 100 && sign.empty();
  reader.error(node, "'" + *given + "' is not a percentage from 0% to 100%",
               only_the_sign ? "write " + *given + "%" : "as in 50%");
}

}  // namespace holdfast
