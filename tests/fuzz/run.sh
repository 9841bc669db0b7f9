#!/usr/bin/env bash
# Runs every fuzz target for so many seconds, two at a time, from its seeds and what earlier runs
# found:
#
#   tests/fuzz/run.sh BUILD_DIRECTORY SECONDS
#
# An input that breaks one stays below the build directory, in crashes/; to see it again, run the
# target with that file. Ends with a line that says what was fuzzed.
set -euo pipefail

build=$(realpath "$1") seconds=$2
seeds=$(realpath "$(dirname "$0")/corpus")
at_once=2
mkdir -p "$build/crashes" "$build/said"

name_of() {
  printf '%s' "${1##*/fuzz_}"
}

# The longest configuration is 1 MiB, but what is wrong with one shows in far less.
fuzz() {
  local target=$1 name found
  name=$(name_of "$target")
  found=$build/corpus/$name
  mkdir -p "$found"
  "$target" -max_total_time="$seconds" -max_len=8192 -timeout=5 -rss_limit_mb=2048 \
    -artifact_prefix="$build/crashes/$name-" -print_final_stats=1 "$found" "$seeds/$name" \
    >"$build/said/$name" 2>&1
}

# What a target said: all of it if it found something.
report() {
  local name=$1 status=$2
  if ((status != 0)); then
    cat "$build/said/$name"
    echo "fuzzing $name found something; see it again with:"
    echo "  $build/tests/fuzz/fuzz_$name $build/crashes/$name-*"
    return 1
  fi
  echo "$name: $(sed -n 's/^stat::number_of_executed_units: *//p' "$build/said/$name") inputs"
}

targets=()
for target in "$build"/tests/fuzz/fuzz_*; do
  [[ -f $target && -x $target ]] && targets+=("$target")
done
((${#targets[@]} > 0)) || { echo "error: no fuzz targets below $build" >&2; exit 1; }

failures=0
for ((first = 0; first < ${#targets[@]}; first += at_once)); do
  names=() jobs=()
  for target in "${targets[@]:first:at_once}"; do
    names+=("$(name_of "$target")")
    fuzz "$target" &
    jobs+=($!)
  done
  echo "fuzzing ${names[*]} for $seconds s"
  for i in "${!jobs[@]}"; do
    status=0
    wait "${jobs[i]}" || status=$?
    report "${names[i]}" "$status" || failures=$((failures + 1))
  done
done
if ((failures > 0)); then
  echo "error: $failures of ${#targets[@]} targets found something; the inputs are in $build/crashes" >&2
  exit 1
fi
echo "fuzzed ${#targets[@]} targets for $seconds s each, nothing found"
