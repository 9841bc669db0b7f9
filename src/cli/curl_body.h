#pragma once

#include <cstddef>

namespace holdfast::cli {

// For CURLOPT_WRITEFUNCTION: appends to the std::string that `body` points to, up to 16 MiB.
std::size_t collect_body(char* bytes, std::size_t size, std::size_t count, void* body);

}  // namespace holdfast::cli
