#!/usr/bin/env bash
# Sets up, builds and runs all tests, on a fresh machine too.
#
#   scripts/test.sh [OPTION...]     options go to cmake, for example -DHEDDLE_WERROR=ON
#
# HEDDLE_PRESET=debug or asan takes another preset of CMakePresets.json; HEDDLE_JOBS=1
# compiles one file at a time. The build is left in build/<preset>. A first build compiles the files
# of a folder together (HEDDLE_UNITY); one that is there stays as it was configured.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

preset=${HEDDLE_PRESET:-release}
jobs=${HEDDLE_JOBS:-$(nproc)}
unset OMP_NUM_THREADS # the tests choose their own numbers of threads

all=()
[[ $preset != asan ]] || all=(--all) # clang
scripts/setup.sh "${all[@]}"
first=()
[[ -f build/$preset/CMakeCache.txt ]] || first=(-DHEDDLE_UNITY=ON) # fastest from nothing
cmake --preset "$preset" "${first[@]}" "$@"
cmake --build --preset "$preset" --parallel "$jobs"
echo "test.sh: built preset $preset in $SECONDS s, now its tests"
ctest --preset "$preset"
