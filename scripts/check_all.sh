#!/usr/bin/env bash
# The long form of .ci/run: all of it, and what takes more time or more tools or rarely finds
# anything. To be run once for each larger piece of work: about an hour on two cores.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

# A binary built for this machine says so on an old processor instead of dying of SIGILL.
wrong_processor() {
  local status=0 sentence
  sentence=$(qemu-x86_64 -cpu Nehalem build/release/heddle_tests 2>&1 >/dev/null) || status=$?
  echo "on a Nehalem (exit code $status): $sentence"
  ((status == 2))
  [[ $(wc -l <<<"$sentence") == 1 && $sentence == *"was built for a processor with avx"* ]]
}

# The portable build runs on a processor without AVX-512.
portable() {
  qemu-x86_64 -cpu max,-avx512f build/core/heddle_tests --test-case='*shape*,*cpu*' 2>/dev/null
}

# Every file by itself, as developers build it; all that tests can look at; and the same bits as
# from the files that were compiled together.
file_by_file() {
  cmake -G Ninja -S . -B build/files -DCMAKE_BUILD_TYPE=Release -DHEDDLE_WERROR=ON -DHEDDLE_UNITY=OFF
  cmake --build build/files --parallel "$(nproc)"
  HEDDLE_THOROUGH=1 OMP_WAIT_POLICY=passive ctest --test-dir build/files --output-on-failure \
    --no-tests=error --parallel "$(nproc)"
  HEDDLE_BEFORE=build/files/heddle HEDDLE_AFTER=build/release/heddle scripts/same_bits.sh
}

bash .ci/run
file_by_file
tests/torture.sh 20 10 5

if ! command -v qemu-x86_64 >/dev/null; then
  as_root=()
  ((EUID == 0)) || as_root=(sudo)
  echo "check_all: installing qemu-user"
  "${as_root[@]}" apt-get update -q
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
    apt-get install -q -y --no-install-recommends qemu-user
fi
wrong_processor
portable
echo "check_all: passed in $SECONDS s"
