#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "holdfast/base/result.h"
#include "holdfast/config/config.h"
#include "holdfast/config/diagnostic.h"

namespace holdfast {

// What operators have added to a configuration and taken out of it while it was in force. Plain
// values; nothing here knows of a running instance. An error's code says of which kind it is:
// ENOENT for what isn't there, EEXIST for what is in the way, EINVAL for what can't be.

struct ChangeOrigin {
  std::string by;
  std::int64_t at = 0;  // milliseconds since 1970

  bool operator==(const ChangeOrigin&) const = default;
};

// In force until it is removed, or until the file has a backend of this name.
struct AddedBackend {
  std::string pool;
  std::string name;
  Endpoint address;
  unsigned weight = 1;
  unsigned tier = 0;
  unsigned max_connections = 0;  // 0: no limit
  ChangeOrigin origin = {};

  bool operator==(const AddedBackend&) const = default;
};

// In force until the file says something else of the backend than what it said then, or hasn't got
// it any more.
struct RemovedBackend {
  std::string pool;
  std::string name;
  std::string configured;  // what the file said of it, as text
  ChangeOrigin origin = {};

  bool operator==(const RemovedBackend&) const = default;
};

struct RunTimeChanges {
  std::vector<AddedBackend> added = {};
  std::vector<RemovedBackend> removed = {};

  bool operator==(const RunTimeChanges&) const = default;
};

// As JSON, which is how a worker leaves them to its successor, and the other way round.
[[nodiscard]] std::string to_text(const RunTimeChanges& changes);
[[nodiscard]] Result<RunTimeChanges> parse_run_time_changes(std::string_view text);

struct ChangedConfig {
  Config config;           // the file's with the changes
  RunTimeChanges changes;  // those that are in force; the file has overruled the others
  std::vector<std::string> notes = {};  // a line for each, as an operator would say it
};

// What comes of a file's configuration. The same file and changes always come to the same.
[[nodiscard]] ChangedConfig with_changes(const Config& file, const RunTimeChanges& changes);

// What the rules of a file say of the two together and not of the file alone: errors, and warnings
// about backends that were added.
[[nodiscard]] Diagnostics diagnose(const Config& file, const ChangedConfig& changed);

// One change more. `file` is the configuration without any. What a file is only warned of is
// refused of a backend that is added, since nobody would read the warning.
[[nodiscard]] Result<RunTimeChanges> add_backend(const Config& file, RunTimeChanges changes,
                                                 const AddedBackend& backend);
[[nodiscard]] Result<RunTimeChanges> remove_backend(const Config& file, RunTimeChanges changes,
                                                    const std::string& pool,
                                                    const std::string& name,
                                                    const ChangeOrigin& origin);

// "there is no pool 'wbe': did you mean 'web'?", with the code ENOENT.
[[nodiscard]] Error no_such_pool(const Config& config, std::string_view pool);
[[nodiscard]] Error no_such_backend(const PoolConfig& pool, std::string_view backend);

}  // namespace holdfast
