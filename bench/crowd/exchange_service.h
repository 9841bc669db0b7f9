#pragma once

#include <memory>
#include <string>
#include <unordered_map>

#include "crowd/acceptor.h"

namespace holdfast::bench {

// Answers small exchanges: for each target what answer_to() says, over connections that last as
// long as the client likes. On the loop's thread; what makes it owns it.
class ExchangeService {
 public:
  ExchangeService(loop::Loop& loop, Fd listener);
  ~ExchangeService();

 private:
  class Connection;

  loop::Loop& loop_;
  std::unordered_map<const Connection*, std::unique_ptr<Connection>> connections_;
  Acceptor acceptor_;
};

}  // namespace holdfast::bench
