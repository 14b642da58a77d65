#!/usr/bin/env bash
# From a bare Debian 12 to a trained model: installs, builds, trains the toy corpus, translates its
# test set, prints the accuracy and a few examples.
#
#   scripts/quickstart.sh [--set KEY=VALUE]...     options go to heddle train
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

run=runs/quickstart
heddle=build/release/heddle

scripts/setup.sh
first=()
[[ -f build/release/CMakeCache.txt ]] || first=(-DHEDDLE_UNITY=ON) # fastest from nothing
cmake --preset release "${first[@]}" >/dev/null
cmake --build --preset release --target heddle

begin=$SECONDS
"$heddle" train configs/toy.json --run "$run" --force "$@"
echo "trained in $((SECONDS - begin)) s"

"$heddle" translate "$run" --input data/toy/test.en --output "$run/test.fr"
"$heddle" evaluate "$run" --source data/toy/test.en --reference data/toy/test.fr \
  --groups data/toy/test.kind

echo
paste -d '\n' <(head -n 5 data/toy/test.en) <(head -n 5 "$run/test.fr") /dev/null
echo "all of it took $SECONDS s; now try: echo 'The cats are small.' | $heddle translate $run"
