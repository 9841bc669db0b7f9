#include "holdfast/base/fd.h"

#include <unistd.h>

namespace holdfast {

void Fd::reset() {
  if (number_ >= 0) {
    // close(2) releases the number even when it reports EINTR or EIO; trying again could close
    // somebody else's descriptor.
    ::close(number_);
    number_ = -1;
  }
}

}  // namespace holdfast
