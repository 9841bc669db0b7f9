#pragma once

// Places in the code where a test can end the process, to prove that none of them is unsafe. Only
// in a build with HOLDFAST_FAULTS; in every other one these are nothing. docs/continuity.md says
// how the places are used; fault_points.h lists them.

#ifdef HOLDFAST_FAULTS

#include "holdfast/base/fault_points.h"

#define HOLDFAST_FAULT_POINT(name) ::holdfast::fault::pass(::holdfast::fault::Point::name)
// A place that only connections pass whose next bytes from the client are "poison".
#define HOLDFAST_FAULT_POISON(name, socket)                                        \
  do {                                                                             \
    if (::holdfast::fault::is_poisonous(::holdfast::fault::Point::name, socket)) { \
      HOLDFAST_FAULT_POINT(name);                                                  \
    }                                                                              \
  } while (false)
#define HOLDFAST_FAULT_CHECK(holds) ::holdfast::fault::check(holds, #holds)

#else

#define HOLDFAST_FAULT_POINT(name) static_cast<void>(0)
#define HOLDFAST_FAULT_POISON(name, socket) static_cast<void>(0)
#define HOLDFAST_FAULT_CHECK(holds) static_cast<void>(0)

#endif
