#include "config/reader.h"

#include <algorithm>
#include <charconv>

#include "config/byte_size.h"
#include "config/units.h"
#include "holdfast/config/suggest.h"

namespace holdfast {

Mark mark_of(const YAML::Mark& mark) {
  return {mark.line + 1, mark.column + 1};
}

bool is_off(const YAML::Node& node) {
  return node.IsScalar() && node.Scalar() == "off";
}

void read_text(Reader& reader, const YAML::Node& node, std::string& value, Mark& mark) {
  if (auto given = reader.text(node)) {
    value = std::move(*given);
    mark = mark_of(node.Mark());
  }
}

void Reader::error(const YAML::Node& node, std::string message, std::string help) {
  const std::size_t length = node.IsScalar() ? node.Scalar().size() : 1;
  diagnostics_.push_back({Diagnostic::Severity::error, mark_of(node.Mark()), std::move(message),
                          std::move(help), std::max<std::size_t>(length, 1)});
}

bool Reader::is_mapping(const YAML::Node& node, const std::string& what,
                        const std::vector<std::string_view>& names) {
  if (node.IsMap()) {
    return true;
  }
  std::string known;
  for (const auto name : names) {
    known += (known.empty() ? "its keys are " : ", ") + std::string(name);
  }
  error(node, what + " must be a mapping of keys to values", known);
  return false;
}

std::optional<std::size_t> Reader::find_key(const YAML::Node& key, const std::string& what,
                                            const std::vector<std::string_view>& names,
                                            std::vector<std::string>& seen) {
  if (!key.IsScalar()) {
    error(key, "a key in " + what + " must be a word");
    return std::nullopt;
  }
  const auto& name = key.Scalar();
  if (name == "<<") {
    error(key, "merge keys are not supported", "write the keys out; anchors and aliases work");
    return std::nullopt;
  }
  const auto found = std::find(names.begin(), names.end(), name);
  if (found == names.end()) {
    error(key, "unknown key '" + name + "' in " + what, suggest(name, names));
    return std::nullopt;
  }
  if (std::find(seen.begin(), seen.end(), name) != seen.end()) {
    error(key, "'" + name + "' stands twice in " + what, "remove one of them");
    return std::nullopt;
  }
  seen.push_back(name);
  return static_cast<std::size_t>(found - names.begin());
}

bool Reader::is_given(const YAML::Node& key, const YAML::Node& value) {
  if (value.IsNull()) {
    error(key, "'" + key.Scalar() + "' has no value");
    return false;
  }
  return true;
}

void Reader::list(const YAML::Node& node, const std::string& what, std::size_t at_most,
                  const std::function<void(const YAML::Node&, std::size_t)>& item) {
  if (!node.IsSequence()) {
    error(node, what + " must be a list");
    return;
  }
  std::size_t place = 0;
  for (const auto& element : node) {
    if (place == at_most) {
      error(element, what + " has more than " + std::to_string(at_most) + " entries");
      return;
    }
    item(element, place++);
  }
}

std::optional<std::string> Reader::text(const YAML::Node& node) {
  if (node.IsScalar()) {
    return node.Scalar();
  }
  error(node, node.IsNull() ? "a value is missing here" : "a single value is expected here");
  return std::nullopt;
}

bool Reader::number(const YAML::Node& node, unsigned least, unsigned most, unsigned& value,
                    const std::string& help) {
  const auto given = text(node);
  if (!given) {
    return false;
  }
  std::int64_t number = 0;
  const char* last = given->data() + given->size();
  const auto [end, code] = std::from_chars(given->data(), last, number);
  if (code != std::errc() || end != last || number < least || number > most) {
    error(node,
          "'" + *given + "' is not a whole number from " + std::to_string(least) + " to " +
              std::to_string(most),
          help);
    return false;
  }
  value = static_cast<unsigned>(number);
  return true;
}

bool Reader::duration(const YAML::Node& node, Milliseconds least, Milliseconds most,
                      Milliseconds& value, const std::string& help) {
  const auto given = text(node);
  if (!given) {
    return false;
  }
  const auto parsed = parse_duration(*given);
  if (!parsed) {
    error(node, parsed.error().message, help);
  } else if (*parsed < least || *parsed > most) {
    error(node,
          "'" + *given + "' is not between " + format_duration(least) + " and " +
              format_duration(most),
          help);
  } else {
    value = *parsed;
    return true;
  }
  return false;
}

bool Reader::size(const YAML::Node& node, std::size_t least, std::size_t most, std::size_t& value,
                  const std::string& help) {
  const auto given = text(node);
  if (!given) {
    return false;
  }
  const auto parsed = parse_byte_size(*given);
  if (!parsed) {
    error(node, parsed.error().message, help);
  } else if (*parsed < least || *parsed > most) {
    error(node,
          "'" + *given + "' is not between " + format_byte_size(least) + " and " +
              format_byte_size(most),
          help);
  } else {
    value = *parsed;
    return true;
  }
  return false;
}

bool Reader::percent(const YAML::Node& node, unsigned least, unsigned most, unsigned& value,
                     const std::string& help) {
  const auto given = text(node);
  if (!given) {
    return false;
  }
  unsigned number = 0;
  const char* last = given->data() + given->size();
  const auto [end, code] = std::from_chars(given->data(), last, number);
  const std::string_view sign(end, static_cast<std::size_t>(last - end));
  const bool is_within = code == std::errc() && number >= least && number <= most;
  if (is_within && sign == "%") {
    value = number;
    return true;
  }
  error(node,
        "'" + *given + "' is not a percentage from " + std::to_string(least) + "% to " +
            std::to_string(most) + "%",
        is_within && sign.empty() ? "write " + *given + "%" : help);
  return false;
}

void Reader::endpoint(const YAML::Node& node, Endpoint& value) {
  const auto given = text(node);
  if (!given) {
    return;
  }
  auto parsed = Endpoint::parse(*given);
  if (!parsed) {
    error(node, "'" + *given + "' is not an address: " + parsed.error().message);
    return;
  }
  value = std::move(*parsed);
}

void Reader::unknown_word(const YAML::Node& node, const std::string& given,
                          const std::vector<std::string_view>& known) {
  error(node, "unknown value '" + given + "'", suggest(given, known));
}

}  // namespace holdfast
