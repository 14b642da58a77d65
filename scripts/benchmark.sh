#!/usr/bin/env bash
# Builds and runs the benchmarks; prints the machine and a Markdown table (docs/performance.md).
#
#   scripts/benchmark.sh [--benchmark_filter=REGEX] [--benchmark_repetitions=N]
#
# Settings in the environment that would keep OpenBLAS from choosing the kernels of this processor are
# left out: the references are as fast as this machine allows.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

unset OPENBLAS_CORETYPE OPENBLAS_L2_SIZE OMP_NUM_THREADS
cmake --preset release >/dev/null
cmake --build --preset release --target heddle_benchmarks >/dev/null

lscpu | sed -n 's/^Model name: *//p; s/^CPU(s): *\(.*\)/\1 cores/p; s/^L[123][di]* *cache: *.*/&/p' |
  sed 's/  */ /g; s/^/- /'
echo "- $(g++ --version | head -n 1)"
echo "- OpenBLAS $(pkg-config --modversion openblas)"
echo
build/release/heddle_benchmarks "$@"
