#pragma once

#include <yaml-cpp/yaml.h>

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "config/words.h"
#include "holdfast/config/config.h"
#include "holdfast/config/diagnostic.h"

namespace holdfast {

// What a duration may be at least and at most, unless its key has its own reasons.
inline constexpr Milliseconds kShortest = std::chrono::milliseconds(1);
inline constexpr Milliseconds kDay = std::chrono::hours(24);
inline constexpr Milliseconds kMonth = std::chrono::hours(24 * 30);

inline constexpr bool kRequired = true;
inline constexpr bool kOptional = false;

// Turns YAML nodes into values, and what isn't one into diagnostics: it goes on after an error, so
// that all of them are found at once. A value that can't be read leaves its default.
class Reader {
 public:
  explicit Reader(Diagnostics& diagnostics) : diagnostics_(diagnostics) {}

  // One key of a mapping: its name and what reads its value into a T.
  template <class T>
  struct Key {
    std::string_view name;
    bool required;
    std::function<void(Reader&, const YAML::Node&, T&)> read;
  };

  // Every pair of the mapping, by the rows of `keys`. Unknown, repeated and missing keys are
  // errors. `what` names the mapping: "pools[0].health".
  template <class T>
  void mapping(const YAML::Node& node, const std::string& what, const std::vector<Key<T>>& keys,
               T& value);

  // Every item of the list, of which there may be `at_most`.
  void list(const YAML::Node& node, const std::string& what, std::size_t at_most,
            const std::function<void(const YAML::Node&, std::size_t)>& item);

  [[nodiscard]] std::optional<std::string> text(const YAML::Node& node);
  // Whether the value could be read. `help`: what else may stand there.
  bool number(const YAML::Node& node, unsigned least, unsigned most, unsigned& value,
              const std::string& help = {});
  bool duration(const YAML::Node& node, Milliseconds least, Milliseconds most, Milliseconds& value,
                const std::string& help = {});
  bool size(const YAML::Node& node, std::size_t least, std::size_t most, std::size_t& value,
            const std::string& help = {});
  // "50%", without its sign.
  bool percent(const YAML::Node& node, unsigned least, unsigned most, unsigned& value,
               const std::string& help = {});
  void endpoint(const YAML::Node& node, Endpoint& value);

  // One word of those that words_for() has for it.
  template <class Enum>
  void word(const YAML::Node& node, Enum& value);

  void error(const YAML::Node& node, std::string message, std::string help = {});

 private:
  // Whether the pair's key is one of the names and new; says what is wrong with it otherwise.
  [[nodiscard]] std::optional<std::size_t> find_key(const YAML::Node& key, const std::string& what,
                                                    const std::vector<std::string_view>& names,
                                                    std::vector<std::string>& seen);
  // Says so at the key when its value is missing: the mark of nothing is where the next thing is.
  [[nodiscard]] bool is_given(const YAML::Node& key, const YAML::Node& value);
  [[nodiscard]] bool is_mapping(const YAML::Node& node, const std::string& what,
                                const std::vector<std::string_view>& names);
  void unknown_word(const YAML::Node& node, const std::string& given,
                    const std::vector<std::string_view>& known);

  Diagnostics& diagnostics_;
};

template <class T>
using Keys = std::vector<Reader::Key<T>>;

// 1-based, where yaml-cpp counts from 0.
[[nodiscard]] Mark mark_of(const YAML::Mark& mark);

// The word that stands for nothing in place of a value.
[[nodiscard]] bool is_off(const YAML::Node& node);

// A text, and where it stands, if one does.
void read_text(Reader& reader, const YAML::Node& node, std::string& value, Mark& mark);

// The `name` of a T, and where it stands.
template <class T>
void read_name(Reader& reader, const YAML::Node& node, T& named) {
  read_text(reader, node, named.name, named.name_mark);
}

template <class T>
void Reader::mapping(const YAML::Node& node, const std::string& what,
                     const std::vector<Key<T>>& keys, T& value) {
  std::vector<std::string_view> names;
  for (const auto& key : keys) {
    names.push_back(key.name);
  }
  if (!is_mapping(node, what, names)) {
    return;
  }
  std::vector<std::string> seen;
  for (const auto& pair : node) {
    const auto place = find_key(pair.first, what, names, seen);
    if (place && is_given(pair.first, pair.second)) {
      keys[*place].read(*this, pair.second, value);
    }
  }
  for (const auto& key : keys) {
    if (key.required && std::find(seen.begin(), seen.end(), key.name) == seen.end()) {
      error(node, "'" + std::string(key.name) + "' is missing in " + what);
    }
  }
}

template <class Enum>
void Reader::word(const YAML::Node& node, Enum& value) {
  const auto given = text(node);
  if (!given) {
    return;
  }
  std::vector<std::string_view> known;
  for (const auto& word : words_for(value)) {
    if (word.text == *given) {
      value = word.meaning;
      return;
    }
    known.push_back(word.text);
  }
  unknown_word(node, *given, known);
}

}  // namespace holdfast
