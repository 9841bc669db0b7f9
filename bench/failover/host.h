#pragma once

#include <memory>
#include <string>
#include <vector>

#include "holdfast/base/fd.h"
#include "holdfast/base/result.h"

namespace holdfast::bench {

// A host for backends: a network namespace with a cable (veth(4)) to the PrivateNetwork that it is
// made in. It has no name anywhere: the kernel takes it away when its last process has ended and
// this is gone, however we end. Main thread.
class Host {
 public:
  // `number`, from 1 to 254, is in its address, and occurs once.
  [[nodiscard]] static Result<std::unique_ptr<Host>> make(unsigned number);
  Host(Host&&) = delete;

  // Where others reach it.
  [[nodiscard]] const std::string& address() const { return address_; }
  // What comes in front of a command that is to run in it.
  [[nodiscard]] std::vector<std::string> before() const;

  // From now on its packets vanish, those to it and those from it; nobody is told.
  [[nodiscard]] Result<void> silence() const;
  [[nodiscard]] Result<void> speak() const;

 private:
  Host(std::string address, Fd network)
      : address_(std::move(address)), network_(std::move(network)) {}

  [[nodiscard]] std::string path() const;
  [[nodiscard]] Result<void> plug_in(unsigned number) const;

  std::string address_;
  Fd network_;
};

// Why there can be no hosts here; nothing when there can.
[[nodiscard]] std::string why_no_hosts();

}  // namespace holdfast::bench
