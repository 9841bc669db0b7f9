#include "holdfast/config/diagnostic.h"

#include <gtest/gtest.h>

namespace holdfast {
namespace {

using Severity = Diagnostic::Severity;

TEST(Diagnostic, shows_the_place_the_line_a_caret_and_the_help) {
  const Diagnostics diagnostics = {
      {Severity::error, {2, 3}, "unknown key 'intervall'", "did you mean 'interval'?", 9}};

  EXPECT_EQ(render(diagnostics, "a.yaml", "health:\n  intervall: 2s\n  rise: 2\n"),
            "a.yaml:2:3: error: unknown key 'intervall'\n"
            "    2 |   intervall: 2s\n"
            "      |   ^~~~~~~~~\n"
            "help: did you mean 'interval'?\n");
}

TEST(Diagnostic, shows_a_warning_as_one) {
  const Diagnostics diagnostics = {{Severity::warning, {1, 1}, "unused", ""}};

  EXPECT_EQ(render(diagnostics, "a.yaml", "x"),
            "a.yaml:1:1: warning: unused\n    1 | x\n      | ^\n");
}

TEST(Diagnostic, shows_no_source_for_what_is_not_in_the_file) {
  const Diagnostics diagnostics = {{Severity::error, {}, "the file is empty", "write one"}};

  EXPECT_EQ(render(diagnostics, "a.yaml", ""),
            "a.yaml: error: the file is empty\nhelp: write one\n");
}

TEST(Diagnostic, renders_all_in_the_order_given) {
  const Diagnostics diagnostics = {{Severity::error, {1, 1}, "first", ""},
                                   {Severity::error, {3, 1}, "second", ""}};

  EXPECT_EQ(render(diagnostics, "f", "a\nb\nc"),
            "f:1:1: error: first\n    1 | a\n      | ^\n"
            "f:3:1: error: second\n    3 | c\n      | ^\n");
}

TEST(Diagnostic, keeps_the_caret_under_its_place_after_tabs) {
  const Diagnostics diagnostics = {{Severity::error, {1, 4}, "no", "", 2}};

  EXPECT_EQ(render(diagnostics, "f", "\t\t-xy"),
            "f:1:4: error: no\n    1 |   -xy\n      |    ^~\n");
}

TEST(Diagnostic, underlines_no_further_than_the_line_goes) {
  const Diagnostics diagnostics = {{Severity::error, {1, 3}, "no", "", 100}};

  EXPECT_EQ(render(diagnostics, "f", "a: b\nc"), "f:1:3: error: no\n    1 | a: b\n      |   ^~\n");
}

TEST(Diagnostic, points_behind_the_end_of_the_file) {
  const Diagnostics diagnostics = {{Severity::error, {3, 1}, "end of sequence flow not found", ""}};

  EXPECT_EQ(render(diagnostics, "f", "a: [\n"),
            "f:3:1: error: end of sequence flow not found\n    3 | \n      | ^\n");
}

TEST(Diagnostic, widens_the_margin_for_long_line_numbers) {
  const Diagnostics diagnostics = {{Severity::error, {100000, 1}, "no", ""}};

  EXPECT_EQ(render(diagnostics, "f", std::string(99999, '\n') + "x"),
            "f:100000:1: error: no\n100000 | x\n       | ^\n");
}

TEST(Diagnostic, leaves_out_the_carriage_return_of_a_windows_line) {
  const Diagnostics diagnostics = {{Severity::error, {1, 1}, "no", ""}};

  EXPECT_EQ(render(diagnostics, "f", "x\r\ny"), "f:1:1: error: no\n    1 | x\n      | ^\n");
}

TEST(Diagnostic, lets_no_control_character_through_to_the_terminal) {
  const Diagnostics diagnostics = {
      {Severity::error, {1, 1}, "unknown key '\x1b[31m\nf:9:9: error: forged'", "not \x07", 1}};

  EXPECT_EQ(render(diagnostics, "f", "\x1b[31m\x7f: 1"),
            "f:1:1: error: unknown key '?[31m?f:9:9: error: forged'\n"
            "    1 | ?[31m?: 1\n"
            "      | ^\n"
            "help: not ?\n");
}

TEST(Diagnostic, cuts_what_is_endless) {
  const Diagnostics diagnostics = {{Severity::error, {1, 1}, std::string(5000, 'm'), "", 5000}};

  const auto text = render(diagnostics, "f", std::string(5000, 'x'));

  EXPECT_EQ(text, "f:1:1: error: " + std::string(400, 'm') + "...\n    1 | " +
                      std::string(120, 'x') + "\n      | ^" + std::string(119, '~') + "\n");
}

TEST(Diagnostic, counts_errors_and_not_warnings) {
  const Diagnostic warning{Severity::warning, {}, "w", ""};
  const Diagnostic error{Severity::error, {}, "e", ""};

  EXPECT_FALSE(has_errors(Diagnostics{}));
  EXPECT_FALSE(has_errors(Diagnostics{warning, warning}));
  EXPECT_TRUE(has_errors(Diagnostics{warning, error}));
}

}  // namespace
}  // namespace holdfast
