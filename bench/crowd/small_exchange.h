#pragma once

#include <string>
#include <string_view>

namespace holdfast::bench {

// One small HTTP exchange, known to the last byte at both ends: what a client must get back when it
// asks for `target`. An answer that belongs to another connection, or to an earlier question,
// differs.
[[nodiscard]] std::string question_for(std::string_view target);
[[nodiscard]] std::string answer_to(std::string_view target);

}  // namespace holdfast::bench
