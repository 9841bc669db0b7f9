#!/usr/bin/env bash
# Runs every fuzz target for so many seconds, from its seeds and what earlier runs found:
#
#   tests/fuzz/run.sh BUILD_DIRECTORY SECONDS
#
# An input that breaks one stays below the build directory, in crashes/; to see it again, run the
# target with that file. Ends with a line that says what was fuzzed.
set -euo pipefail

build=$1 seconds=$2
seeds=$(dirname "$0")/corpus
mkdir -p "$build/crashes"

targets=0
for target in "$build"/tests/fuzz/fuzz_*; do
  [[ -f $target && -x $target ]] || continue
  name=${target##*/fuzz_}
  found=$build/corpus/$name
  mkdir -p "$found"
  echo "fuzzing $name for $seconds s"
  # The longest configuration is 1 MiB, but what is wrong with one shows in far less.
  if ! said=$("$target" -max_total_time="$seconds" -max_len=8192 -timeout=5 -rss_limit_mb=2048 \
    -artifact_prefix="$build/crashes/$name-" -print_final_stats=1 "$found" "$seeds/$name" 2>&1); then
    printf '%s\n' "$said"
    exit 1
  fi
  printf '%s\n' "$said" | grep -E '^stat::number_of_executed_units|^Done' || true
  targets=$((targets + 1))
done
echo "fuzzed $targets targets for $seconds s each, nothing found"
