#include "cli/standard_streams.h"

#include <fcntl.h>
#include <unistd.h>

namespace holdfast::cli {

void open_standard_streams() {
  for (int number = STDIN_FILENO; number <= STDERR_FILENO; ++number) {
    if (::fcntl(number, F_GETFD) < 0) {
      static_cast<void>(::open("/dev/null", O_RDWR));  // takes the lowest free number: this one
    }
  }
}

}  // namespace holdfast::cli
