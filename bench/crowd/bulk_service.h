#pragma once

#include <memory>
#include <unordered_map>

#include "crowd/acceptor.h"

namespace holdfast::bench {

// The far end of transfers: sends what is downloaded, and reads and judges what is uploaded. On the
// loop's thread; what makes it owns it.
class BulkService {
 public:
  BulkService(loop::Loop& loop, Fd listener);
  ~BulkService();

 private:
  class Connection;

  loop::Loop& loop_;
  std::unordered_map<const Connection*, std::unique_ptr<Connection>> connections_;
  Acceptor acceptor_;
};

}  // namespace holdfast::bench
