#!/usr/bin/env bash
# Heddle beside PyTorch: the same training updates on the same machine, in alternation.
#
#   benchmarks/compare.sh [SHAPE]...        tiny, char, base; by default all of them
#
#   ROUNDS=3    how often each is run in turn (Heddle, PyTorch, Heddle, PyTorch, ...)
#   THREADS=N   of both; by default all processors
#   BUILD=DIR   of Heddle; by default build/release. For OpenBLAS alone, one with -DHEDDLE_ONEDNN=OFF
#
# Installs Debian's python3-torch where it is missing. Where `python3` is another Python with a newer
# PyTorch, that one runs, too: eager, compiled, and in bf16. Prints a Markdown table: the medians of the
# rounds, the ratio of the medians, and the worst and best ratio of a round.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

# Settings that would keep OpenBLAS from choosing the kernels of this processor.
unset OPENBLAS_CORETYPE OPENBLAS_L2_SIZE OMP_NUM_THREADS OMP_WAIT_POLICY
rounds=${ROUNDS:-3}
threads=${THREADS:-$(nproc)}
shapes=("$@")
((${#shapes[@]} > 0)) || shapes=(tiny char base)
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

build=${BUILD:-build/release}
[[ -n ${BUILD:-} ]] || cmake --preset release >/dev/null
cmake --build "$build" --target heddle >/dev/null

if ! /usr/bin/python3 -c 'import torch' 2>/dev/null; then
  as_root=()
  ((EUID == 0)) || as_root=(sudo)
  "${as_root[@]}" apt-get update -q >&2
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
    apt-get install -q -y --no-install-recommends python3-torch >&2
fi

# Each peer is a command; its output holds "N target tokens/s" and "peak N MB".
peers=("/usr/bin/python3 benchmarks/torch_train.py")
version_of() { "$1" -c 'import torch; print(torch.__version__)' 2>/dev/null || true; }
newer=$(version_of python3)
if [[ -n $newer && $newer != "$(version_of /usr/bin/python3)" ]]; then
  peers+=("python3 benchmarks/torch_train.py" "python3 benchmarks/torch_train.py --compile"
    "python3 benchmarks/torch_train.py --bf16" "python3 benchmarks/torch_train.py --bf16 --compile")
fi

# median FILE: of its numbers, one per line.
median() { sort -g "$1" | awk '{ v[NR] = $1 } END { print NR % 2 ? v[(NR + 1) / 2] : (v[NR / 2] + v[NR / 2 + 1]) / 2 }'; }

lscpu | sed -n 's/^Model name: *//p' | sed 's/^/- /'
echo "- $threads threads, $rounds rounds in alternation, medians"
echo "- Heddle's products: $("$build/heddle" bench --shape tiny --updates 3 2>/dev/null |
  sed -n 's/^ms of its products *[0-9.]* *\([^,]*\),.*/\1/p' | paste -s -d ';' | sed 's/;/ and /')"
echo
echo "| shape | peer | its tokens/s | Heddle's | ratio | worst, best of a round | GEMM share | memory, Heddle / peer |"
echo "|---|---|---|---|---|---|---|---|"
for shape in "${shapes[@]}"; do
  for ((p = 0; p < ${#peers[@]}; ++p)); do
    rm -f "$scratch"/*
    for ((round = 0; round < rounds; ++round)); do
      "$build/heddle" bench --shape "$shape" --threads "$threads" >"$scratch/ours" 2>"$scratch/log"
      read -ra command <<<"${peers[p]}"
      "${command[@]}" --shape "$shape" --threads "$threads" >"$scratch/theirs"
      awk '$1 == "target" { print $3 }' "$scratch/ours" >>"$scratch/a"
      awk '$1 == "GEMM" { print $3 }' "$scratch/ours" >>"$scratch/share"
      awk '$1 == "peak" { print $3 }' "$scratch/ours" >>"$scratch/memory_a"
      sed 's/.*: \([0-9]*\) target tokens.*/\1/' "$scratch/theirs" >>"$scratch/b"
      sed 's/.*peak \([0-9]*\) MB.*/\1/' "$scratch/theirs" >>"$scratch/memory_b"
      name=$(sed 's/:.*//' "$scratch/theirs")
    done
    paste "$scratch/a" "$scratch/b" | awk '{ print $1 / $2 }' | sort -g >"$scratch/ratios"
    a=$(median "$scratch/a") b=$(median "$scratch/b")
    printf '| %s | %s | %.0f | %.0f | %.2f | %.2f, %.2f | %s | %s / %s MB |\n' "$shape" "$name" "$b" "$a" \
      "$(awk "BEGIN { print $a / $b }")" "$(head -n 1 "$scratch/ratios")" "$(tail -n 1 "$scratch/ratios")" \
      "$(median "$scratch/share")" "$(median "$scratch/memory_a")" "$(median "$scratch/memory_b")"
  done
done
