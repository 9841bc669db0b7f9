#pragma once

#include <optional>
#include <string>

#include "holdfast/base/fd.h"
#include "holdfast/base/result.h"

namespace holdfast::admin {

// What tells that an instance lives at a control socket, even while neither its worker nor its
// guardian does anything: a lock (flock(2)) on a file beside the socket. The lock belongs to the
// open file, so that it is held for as long as any process of the instance has the descriptor, and
// is gone with the last of them, however it ends. The file stays: removing it would let two
// instances lock two files of the same name.

// Nothing when another instance holds it. The error says what is wrong with the directory or file.
[[nodiscard]] Result<std::optional<Fd>> lock_instance(const std::string& socket_path);

}  // namespace holdfast::admin
