#!/usr/bin/env bash
# Gives hostile files to everything that reads files (tests/fuzz), as many targets at once as processors.
#
#   scripts/fuzz.sh [SECONDS [TARGET...]]     600 seconds each, all targets: config checkpoint ...
#
# Inputs begin with tests/fuzz/corpus, which stays as it is. A table tells what was done; where
# something was found, the inputs are in build/asan/findings until the next run, and the exit code
# is 1:
#   build/asan/fuzz_TARGET build/asan/findings/TARGET/crash-...
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

seconds=${1:-600}
shift $(($# > 0 ? 1 : 0))
targets=("$@")
if ((${#targets[@]} == 0)); then
  for source in tests/fuzz/*.cpp; do targets+=("$(basename "$source" .cpp)"); done
fi

jobs=${HEDDLE_JOBS:-$(nproc)}
scripts/setup.sh --all
cmake --preset asan
cmake --build --preset asan --target heddle_fuzz --parallel "$jobs"

# In memory, where there is a folder for that: the targets write a file for every input.
scratch=$(mktemp -d -p "$([[ -w /dev/shm ]] && echo /dev/shm || echo "${TMPDIR:-/tmp}")")
trap 'rm -rf "$scratch"' EXIT
export TMPDIR=$scratch OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1
export LSAN_OPTIONS=suppressions=$PWD/tests/leaks_of_others.txt:print_suppressions=0
export ASAN_OPTIONS=strict_string_checks=1:detect_stack_use_after_return=1
export UBSAN_OPTIONS=print_stacktrace=1

# A number that libFuzzer prints at its end: "stat::peak_rss_mb: 77".
stat_of() { sed -n "s/^stat::$1: *//p" "$2"; }

# The last of lines like "#4096 pulse cov: 812 ft: 3021 corp: 240/31Kb ...".
coverage_of() { sed -n 's/.* cov: \([0-9]*\) .*/\1/p' "$1" | tail -1; }

# Runs one target; its log and the code it ended with are left in build/asan.
fuzz() {
  local target=$1 status=0
  local findings=build/asan/findings/$target log=build/asan/fuzz_$target.log
  rm -rf "$findings"
  mkdir -p "$findings" "$scratch/$target"
  cp "tests/fuzz/corpus/$target"/* "$scratch/$target"
  # One allocation may take no more than 512 MB, an input no more than a minute: by the clock, and on
  # a busy machine a process that is nice waits twenty times as long as it computes.
  build/asan/fuzz_"$target" "$scratch/$target" -max_total_time="$seconds" -print_final_stats=1 \
    -rss_limit_mb=2048 -malloc_limit_mb=512 -timeout=60 -report_slow_units=60 -max_len=32768 \
    -artifact_prefix="$findings/" >"$log" 2>&1 || status=$?
  echo "$status" >"$scratch/$target.status"
}

# Targets run in one thread each: one for each processor, side by side.
running=0
for target in "${targets[@]}"; do
  if ((running == jobs)); then
    wait -n
    running=$((running - 1))
  fi
  fuzz "$target" &
  running=$((running + 1))
done
wait

printf '%-14s %8s %11s %8s %9s %10s %9s %9s\n' \
  target seconds executions exec/s edges "new units" "peak MB" findings
failed=0
for target in "${targets[@]}"; do
  log=build/asan/fuzz_$target.log
  found=$(find "build/asan/findings/$target" -type f | wc -l)
  printf '%-14s %8s %11s %8s %9s %10s %9s %9s\n' "$target" "$seconds" \
    "$(stat_of number_of_executed_units "$log")" "$(stat_of average_exec_per_sec "$log")" \
    "$(coverage_of "$log")" "$(stat_of new_units_added "$log")" \
    "$(stat_of peak_rss_mb "$log")" "$found"
  if (($(<"$scratch/$target.status") != 0 || found > 0)); then
    failed=1
    tail -n 40 "$log"
  fi
done
exit "$failed"
