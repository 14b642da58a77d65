#!/usr/bin/env bash
# Installs what a bare Debian 12 lacks to build and test Heddle, and nothing where all is there.
#
#   scripts/setup.sh          compiler, CMake and libraries
#   scripts/setup.sh --all    also clang, its OpenMP and sanitizers, valgrind, and the tools that check the style
set -euo pipefail

packages=(g++ cmake ninja-build pkg-config
  libopenblas-openmp-dev libdnnl-dev nlohmann-json3-dev doctest-dev libbenchmark-dev
  libcli11-dev libfmt-dev libsentencepiece-dev libxxhash-dev zlib1g-dev)
for option in "$@"; do
  case "$option" in
    --all) packages+=(clang libclang-rt-14-dev libomp-14-dev clang-format shellcheck valgrind ccache git) ;;
    *)
      echo "usage: scripts/setup.sh [--all]" >&2
      exit 2
      ;;
  esac
done

if ! command -v dpkg-query >/dev/null || ! command -v apt-get >/dev/null; then
  echo "setup: this is not Debian; please install the equivalents of: ${packages[*]}" >&2
  exit 1
fi

missing=()
for package in "${packages[@]}"; do
  state=$(dpkg-query --show --showformat='${db:Status-Status}' "$package" 2>/dev/null || true)
  [[ $state == installed ]] || missing+=("$package")
done
if ((${#missing[@]} == 0)); then
  echo "setup: all ${#packages[@]} packages are installed"
  exit 0
fi

as_root=()
if ((EUID != 0)); then
  if ! command -v sudo >/dev/null; then
    echo "setup: needs root: apt-get install ${missing[*]}" >&2
    exit 1
  fi
  as_root=(sudo)
fi
echo "setup: installing ${missing[*]}"
"${as_root[@]}" apt-get update -q
"${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
  apt-get install -q -y --no-install-recommends "${missing[@]}"
