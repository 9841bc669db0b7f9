#pragma once

namespace holdfast::cli {

// Opens /dev/null in place of each of descriptors 0, 1 and 2 that the program was started without.
// Otherwise a socket or the shared memory would get that number, and what is meant for standard
// error would be written into it. Before anything else is opened.
void open_standard_streams();

}  // namespace holdfast::cli
