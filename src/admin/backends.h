#pragma once

#include <optional>

#include "holdfast/admin/routes.h"

namespace holdfast::admin {

// Whether the path is one of those below.
[[nodiscard]] bool is_about_backends(std::string_view path);

//   GET  /api/v1/backends                         all backends
//   GET  /api/v1/backends/{pool}/{backend}        one of them
//   POST /api/v1/backends/{pool}/{backend}/{what} drain, ready, maint, weight, add, remove: 200, or
//                                                 404, 409, 422 or 503 with the reason
// All in JSON. `request` may do what it asks for.
[[nodiscard]] Response route_backends(const Request& request, const Subject& subject);

}  // namespace holdfast::admin
