#pragma once

#include <cstdlib>
#include <span>
#include <string_view>

#include "holdfast/config/config.h"

namespace holdfast {

// The words of a configuration file and what each stands for: what reads them and what shows them
// goes by the same rows.
template <class Enum>
struct Word {
  std::string_view text;
  Enum meaning;
};

inline constexpr Word<LogLevel> kLogLevels[] = {{"debug", LogLevel::debug},
                                                {"info", LogLevel::info},
                                                {"warning", LogLevel::warning},
                                                {"error", LogLevel::error}};
inline constexpr Word<ConnectionLog> kConnectionLogs[] = {
    {"none", ConnectionLog::none}, {"failed", ConnectionLog::failed}, {"all", ConnectionLog::all}};
inline constexpr Word<Balance> kBalances[] = {{"round_robin", Balance::round_robin},
                                              {"least_connections", Balance::least_connections},
                                              {"power_of_two", Balance::power_of_two},
                                              {"random", Balance::random},
                                              {"first", Balance::first},
                                              {"maglev", Balance::maglev}};
inline constexpr Word<HashKey> kHashKeys[] = {{"client_ip", HashKey::client_ip},
                                              {"client_ip_port", HashKey::client_ip_port}};
inline constexpr Word<CheckType> kCheckTypes[] = {{"tcp", CheckType::tcp},
                                                  {"http", CheckType::http},
                                                  {"send_expect", CheckType::send_expect},
                                                  {"agent", CheckType::agent},
                                                  {"none", CheckType::none}};
inline constexpr Word<Established> kEstablished[] = {{"keep", Established::keep},
                                                     {"close", Established::close}};

[[nodiscard]] constexpr std::span<const Word<LogLevel>> words_for(LogLevel) {
  return kLogLevels;
}
[[nodiscard]] constexpr std::span<const Word<ConnectionLog>> words_for(ConnectionLog) {
  return kConnectionLogs;
}
[[nodiscard]] constexpr std::span<const Word<Balance>> words_for(Balance) {
  return kBalances;
}
[[nodiscard]] constexpr std::span<const Word<HashKey>> words_for(HashKey) {
  return kHashKeys;
}
[[nodiscard]] constexpr std::span<const Word<CheckType>> words_for(CheckType) {
  return kCheckTypes;
}
[[nodiscard]] constexpr std::span<const Word<Established>> words_for(Established) {
  return kEstablished;
}

template <class Enum>
[[nodiscard]] std::string_view word_for(Enum meaning) {
  for (const auto& word : words_for(meaning)) {
    if (word.meaning == meaning) {
      return word.text;
    }
  }
  std::abort();
}

}  // namespace holdfast
