#!/usr/bin/env bash
# Disturbs a small training again and again, and compares its end with that of one left alone:
#
#   tests/torture.sh [KILLS [STOPS [FILLED]]]      50 times SIGKILL, 20 times SIGTERM, 10 full disks
#
# and one run that is told to save all the time (SIGUSR1). Every checkpoint, the mean of checkpoints,
# the metrics but for what a clock says, and translations have to be the same bytes. The program is
# $HEDDLE, by default build/release/heddle.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

kills=${1:-50}
stops=${2:-20}
filled=${3:-10}
HEDDLE=$(realpath "${HEDDLE:-build/release/heddle}")
export HEDDLE OMP_WAIT_POLICY=passive

# A text of word pairs and their turned order, and a config with all that a run keeps a state of.
prepare() {
  awk -v seed="$1" 'BEGIN {
    srand(seed)
    split("un deux trois quatre cinq six sept huit neuf dix", word, " ")
    for (i = 0; i < 600; i++) {
      a = b = ""
      for (n = 1 + int(rand() * 7); n > 0; n--) {
        w = word[1 + int(rand() * 10)]
        a = a (a == "" ? "" : " ") w
        b = w (b == "" ? "" : " ") b
      }
      print a > "'"$work"'/train.src"
      print b > "'"$work"'/train.tgt"
    }
  }'
  head -60 "$work/train.src" >"$work/valid.src"
  head -60 "$work/train.tgt" >"$work/valid.tgt"
  cat >"$work/run.json" <<'JSON'
{
  "model": {"d_model": 32, "heads": 2, "d_ff": 64, "layers": 2, "dropout": 0.1},
  "data": {
    "train": {"source": "train.src", "target": "train.tgt"},
    "valid": {"source": "valid.src", "target": "valid.tgt"},
    "tokenizer": {"type": "subword", "vocab_size": 40, "sample": 0.1},
    "max_length": 64
  },
  "schedule": {"type": "inverse_sqrt", "learning_rate": 0.01, "warmup": 50},
  "train": {
    "batch_tokens": 300, "accumulate": 2, "steps": 600, "lanes": 2, "ema_decay": 0.99,
    "report_every": 7, "validate_every": 50, "checkpoint_every": 20, "keep_last": 3, "keep_best": 2,
    "best_by": "chrf", "average_last": 3, "sample_translations": 0, "save_timeout": 5
  }
}
JSON
}

train() {  # FOLDER, more arguments
  local folder=$1
  shift
  exec "$HEDDLE" train "$work/run.json" --run "$folder" --resume --threads $((1 + RANDOM % 2)) "$@"
}

# All that has to be the same, a line for each thing.
fingerprint() {
  (
    cd "$1"
    find checkpoints averaged config.json -type f -print0 | sort -z | xargs -0 sha256sum
    find checkpoints -type l -printf '%f %l\n' | sort
    sed -E 's/,"(seconds|tokens_per_second|waited_seconds)":[^,}]*//g' metrics.jsonl | sha256sum
  )
  "$HEDDLE" translate "$1" --beam 3 <"$work/valid.src" | sha256sum
}

expect_undisturbed() {
  if ! diff <(fingerprint "$1") "$work/expected"; then
    echo "torture: $1 differs from the run that was left alone" >&2
    exit 1
  fi
}

# Up to half of the time that a whole run takes.
pause() {
  sleep "$(awk -v r="$RANDOM" -v s="$seconds" 'BEGIN { printf "%.3f", r / 32767 * s / 2 }')"
}

# A program that stops says so, unless it had hardly begun.
expect_saved() {
  [[ -s $work/log ]] || return 0
  grep -qE "^saved; resume with: |^stopped before|^done; " "$work/log" && return
  cat "$work/log" >&2
  echo "torture: stopped without a word" >&2
  exit 1
}

# Every checkpoint that stands under its name is whole: the run went on behind the last one.
expect_whole() {
  grep -qE "is damaged|is missing|cannot read" "$work/log" || return 0
  cat "$work/log" >&2
  echo "torture: a checkpoint was not whole" >&2
  exit 1
}

# Starts, waits, sends a signal, as many times; what has ended well in between is begun anew.
disturb() {  # SIGNAL, HOW MANY, EXIT CODE
  local signal=$1 rounds=$2 code=$3 run=$work/$1 whole=0 status pid sent slowest=0
  for ((i = 0; i < rounds; )); do
    (train "$run") 2>"$work/log" &
    pid=$!
    pause
    sent=${EPOCHREALTIME/./}
    kill "-$signal" "$pid" 2>"$work/gone" || true
    status=0
    wait "$pid" 2>"$work/gone" || status=$?
    expect_whole
    case $status in
      "$code")
        i=$((i + 1))
        [[ $signal == KILL ]] || expect_saved
        ((${EPOCHREALTIME/./} - sent > slowest)) && slowest=$((${EPOCHREALTIME/./} - sent))
        ;;
      0)
        whole=$((whole + 1))
        expect_undisturbed "$run"
        rm -r "$run"
        ;;
      *)
        cat "$work/log" >&2
        echo "torture: exit code $status after $signal" >&2
        exit 1
        ;;
    esac
  done
  (train "$run") 2>"$work/log" || { cat "$work/log" >&2; exit 1; }
  expect_undisturbed "$run"
  echo "$rounds times $signal, $((whole + 1)) runs to their end: the same bytes;" \
    "at most $((slowest / 1000)) ms until the program had left"
}

# Asks for a checkpoint again and again.
save_often() {
  local run=$work/USR1 pid saved
  (train "$run") 2>"$work/log" &
  pid=$!
  until grep -q " parameters, " "$work/log" || ! kill -0 "$pid" 2>"$work/gone"; do sleep 0.01; done
  while kill -USR1 "$pid" 2>"$work/gone"; do sleep 0.05; done
  wait "$pid" || { cat "$work/log" >&2; exit 1; }
  saved=$(grep -c "^saved at update" "$work/log") || { echo "torture: nothing was saved" >&2; exit 1; }
  expect_undisturbed "$run"
  echo "$saved times SIGUSR1 in a run: the same bytes"
}

# In a mount of its own, so that it needs no rights: a disk of a few checkpoints, which somebody
# else fills up.
fill_up() {
  local rounds=$1 run=$work/disk/run whole=0 refused=0 status pid
  mount -t tmpfs -o size=16m tmpfs "$work/disk"
  for ((i = 0; i < rounds; i++)); do
    (train "$run") 2>"$work/log" &
    pid=$!
    pause
    cat /dev/zero >"$work/disk/filler" 2>"$work/gone" || true
    status=0
    wait "$pid" 2>"$work/gone" || status=$?
    rm "$work/disk/filler"
    expect_whole
    case $status in
      5) refused=$((refused + 1)) && grep -q "No space left on device" "$work/log" ;;
      0) whole=$((whole + 1)) && expect_undisturbed "$run" && rm -r "$run" ;;
      *) cat "$work/log" >&2 && exit 1 ;;
    esac
  done
  # Where there is room again in time, the run itself goes on.
  rm -rf "$run"
  (train "$run") 2>"$work/log" &
  pid=$!
  pause
  cat /dev/zero >"$work/disk/filler" 2>"$work/gone" || true
  until grep -q "tries again" "$work/log" || ! kill -0 "$pid" 2>"$work/gone"; do sleep 0.02; done
  rm "$work/disk/filler"
  wait "$pid" || { cat "$work/log" >&2; exit 1; }
  grep -q "tries again" "$work/log" || { echo "torture: the disk was not full in time" >&2; exit 1; }
  expect_undisturbed "$run"
  echo "$rounds full disks, $refused refused to write, $((whole + 1)) runs to their end: the same bytes"
}

if [[ ${1:-} == --fill-up ]]; then
  work=$2
  seconds=$3
  fill_up "$4"
  exit
fi

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir "$work/disk"
prepare 1
begin=${EPOCHREALTIME/./}
(train "$work/alone") 2>"$work/log" || { cat "$work/log" >&2; exit 1; }
seconds=$(awk -v us=$((${EPOCHREALTIME/./} - begin)) 'BEGIN { print us / 1e6 }')
fingerprint "$work/alone" >"$work/expected"
echo "a run takes $seconds s when it is left alone"
((kills == 0)) || disturb KILL "$kills" 137
((stops == 0)) || disturb TERM "$stops" 143
save_often
((filled == 0)) || unshare --user --map-root-user --mount "$0" --fill-up "$work" "$seconds" "$filled"
