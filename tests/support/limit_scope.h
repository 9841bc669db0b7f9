#pragma once

#include <gtest/gtest.h>
#include <sys/resource.h>

namespace holdfast::testing {

// Lowers a soft limit of this process (setrlimit(2)) for as long as it lives.
class LimitScope {
 public:
  LimitScope(__rlimit_resource resource, rlim_t limit) : resource_(resource) {
    EXPECT_EQ(::getrlimit(resource_, &usual_), 0);
    const rlimit lowered{limit, usual_.rlim_max};
    EXPECT_EQ(::setrlimit(resource_, &lowered), 0);
  }
  LimitScope(const LimitScope&) = delete;
  LimitScope& operator=(const LimitScope&) = delete;
  ~LimitScope() { EXPECT_EQ(::setrlimit(resource_, &usual_), 0); }

 private:
  __rlimit_resource resource_;
  rlimit usual_{};
};

}  // namespace holdfast::testing
