#!/usr/bin/env bash
# Checks, or with "format" mends, how the sources are written:
#
#   cmake/lint.sh check|format
#
# Checking needs the compile commands of build/lint, which "make lint" makes.
set -euo pipefail
cd "$(dirname "$0")/.."

sources() {
  find src include tests bench -name '*.cc' -o -name '*.h' | sort
}

# Every file that says it is for a shell, whatever its name.
shell_scripts() {
  grep -rlE --exclude-dir=.git --exclude-dir=build --exclude-dir=.cache '^#!.*[/ ](ba|da)?sh$' . | sort
}

check_format() {
  echo "clang-format: $(sources | wc -l) files"
  sources | xargs clang-format --dry-run -Werror
}

check_shell() {
  echo "shellcheck: $(shell_scripts | wc -l) files"
  shell_scripts | xargs shellcheck
}

# What g++ warns of is an error in the build; clang's own opinions are not asked for (-Wno-error).
# clang-tidy says on standard error how many warnings of other people's headers it kept to itself.
check_tidy() {
  echo "clang-tidy: $(sources | grep -c '\.cc$') files"
  sources | grep '\.cc$' |
    xargs -P "$(nproc)" -n 2 clang-tidy -p build/lint --quiet --extra-arg=-Wno-error \
      2> >(grep -vE '^([0-9]+ warnings? (generated|treated as errors)|Suppressed |Use -header-filter)' >&2)
}

case ${1:-} in
  check)
    check_shell
    check_format
    check_tidy
    ;;
  format) sources | xargs clang-format -i ;;
  *)
    echo "usage: $0 check|format" >&2
    exit 2
    ;;
esac
