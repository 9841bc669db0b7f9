#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "holdfast/config/config.h"

namespace holdfast::cli {

// What is asked of one backend of a running instance, or of all: one function for each subcommand,
// which returns the exit code.

struct OperationOptions {
  std::string socket = kDefaultSocket;
  std::string target;  // POOL/BACKEND
  std::optional<std::int64_t> wait_ms;
  std::optional<std::int64_t> close_after_ms;
  std::optional<std::int64_t> spread_ms;
  unsigned weight = 1;
  std::string pool;  // of the one that is added
  std::string name;
  std::string address;
  unsigned tier = 0;
  unsigned max_connections = 0;  // 0: no limit
  std::string output = "table";
};

int show_backends(const OperationOptions& options);
// `verb`: drain or maint. With a time to wait, kFailed when connections are left at its end.
int drain_backend(const std::string& verb, const OperationOptions& options);
int ready_backend(const OperationOptions& options);
int weigh_backend(const OperationOptions& options);
int add_backend(const OperationOptions& options);
int remove_backend(const OperationOptions& options);

}  // namespace holdfast::cli
