#!/usr/bin/env bash
# Shows that a change of the code changes no result: trains small models of many kinds with the
# program of another revision and with that of the working tree, uses them, and compares every file
# and every output byte by byte.
#
#   scripts/same_bits.sh [REV]        against REV, by default HEAD (what is not committed yet)
#
# Prints a line for each case, "equal" or "DIFFERENT" with the first difference, and at the end
# "same_bits: N of N equal". The exit code is 1 if anything differs. All results stay in
# build/same_bits/before and build/same_bits/after until the next run.
#
#   HEDDLE_BEFORE, HEDDLE_AFTER      a program that exists already, instead of building that side
#   BEFORE_OPTIONS, AFTER_OPTIONS    options to cmake for that side, such as -DHEDDLE_NATIVE=OFF
#                                    (blanks separate options)
#   HEDDLE_JOBS=1                    compiles one file at a time
#
# REV is built in a git worktree, build/same_bits/source, which the next call uses again and compiles
# only what differs. The working tree is built in build/release, or with AFTER_OPTIONS elsewhere.
#
# Not compared: standard error, and what depends on the clock or on the build (seconds and tokens per
# second in metrics.jsonl; "build" and its checksum in state.json; cache/). The cases are in
# scripts/same_bits_cases.sh.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
# shellcheck source=scripts/same_bits_cases.sh
source scripts/same_bits_cases.sh

root=$PWD
work=$root/build/same_bits
jobs=${HEDDLE_JOBS:-$(nproc)}
unset OMP_NUM_THREADS
export OMP_WAIT_POLICY=passive

# Each set of options has a build folder of its own, because cmake remembers options.
build() {  # SOURCE, FOLDER, OPTIONS, PROGRAM
  local source=$1 folder=$2${3//[^A-Za-z0-9=_]/-} given
  read -ra given <<<"$3"
  (
    cd "$source"
    cmake --preset release -B "$folder" "${given[@]}" >/dev/null
    cmake --build "$folder" --target heddle --parallel "$jobs"
  ) >&2
  cp "$folder/heddle" "$4"
}

check_out() {  # REV
  local commit
  commit=$(git rev-parse --verify --quiet "$1^{commit}") ||
    { echo "same_bits: not a revision: $1" >&2 && exit 2; }
  if [[ -e $work/source/.git ]]; then
    git -C "$work/source" checkout --quiet --detach "$commit"
  else
    git worktree add --quiet --force --detach "$work/source" "$commit"
  fi
}

make_programs() {  # REV
  local options=${AFTER_OPTIONS:-} folder=$root/build/release
  rm -rf "$work/before" "$work/after" "$work/text"
  mkdir -p "$work"/{before,after}/{runs,out} "$work/text"
  if [[ -n ${HEDDLE_BEFORE:-} ]]; then
    cp "$HEDDLE_BEFORE" "$work/before/heddle"
  else
    check_out "$1"
    build "$work/source" "$work/source/build/release" "${BEFORE_OPTIONS:-}" "$work/before/heddle"
  fi
  if [[ -n ${HEDDLE_AFTER:-} ]]; then
    cp "$HEDDLE_AFTER" "$work/after/heddle"
  else
    [[ -z $options ]] || folder=$work/release
    build "$root" "$folder" "$options" "$work/after/heddle"
  fi
}

# Runs the program and keeps its standard output and its exit code.
keep() {  # NAME, ARGUMENTS
  local name=out/$1 status=0
  shift
  ./heddle "$@" >"$name.out" 2>"$name.err" || status=$?
  echo "$status" >"$name.code"
}

train() {  # NAME, THREADS, UPDATES BEFORE A RESUME OR -, SETTINGS
  local command=(train ../base.json --run "runs/$1" --threads "$2") setting settings
  read -ra settings <<<"$4"
  for setting in "${settings[@]}"; do command+=(--set "$setting"); done
  if [[ $3 != - ]]; then
    keep "$1.train_1" "${command[@]}" --set "train.steps=$3"
    command+=(--resume)
  fi
  keep "$1.train" "${command[@]}"
}

# Runs all cases in the folder of a side.
run_cases() {  # SIDE
  local name threads first rest output arguments
  cd "$work/$1"
  while read -r name threads first rest; do
    train "$name" "$threads" "$first" "$rest"
    while read -r output rest; do
      read -ra arguments <<<"${rest//MODEL/runs/$name}"
      keep "$name.$output" "${arguments[@]}"
    done < <(outputs)
  done < <(trainings)
  while read -r name rest; do
    read -ra arguments <<<"$rest"
    keep "$name.other" "${arguments[@]}"
  done < <(others)
}

# Prints what has to be the same of a file.
essence() {  # FILE
  case $1 in
    */metrics.jsonl) sed -E 's/,"(seconds|tokens_per_second|waited_seconds)":[^,}]*//g' "$1" ;;
    */state.json) sed -E '/^  "(build|xxh3)": /d' "$1" ;;
    *.out) sed "s|$work/[a-z]*/||g" "$1" ;;
    *) cat "$1" ;;
  esac
}

# Prints the tensor of a safetensors file that a byte, counted from 1, belongs to.
tensor_at() {  # FILE, BYTE
  local size
  size=$(od -An -tu8 -N8 "$1" | tr -d ' ')
  head -c $((8 + size)) "$1" | tail -c "$size" | grep -oE '"[^"]+":\{[^}]*\}' |
    sed -nE 's/^"([^"]+)":.*"data_offsets":\[([0-9]+),([0-9]+)\].*/\2 \3 \1/p' |
    awk -v at=$(($2 - 9 - size)) '$1 <= at && at < $2 { print $3 }'
}

# Prints the first place where two files differ, in a few words.
first_difference() {  # BEFORE, AFTER
  local place line old new update
  place=$(cmp <(essence "$1") <(essence "$2") 2>&1 || true)
  line=${place##*line }
  old=$(essence "$1" | sed -n "${line//[^0-9]/}p" | tr -d '\0')
  new=$(essence "$2" | sed -n "${line//[^0-9]/}p" | tr -d '\0')
  case $1 in
    *.safetensors)
      place=${place##*byte }
      echo "byte ${place%%,*} $(tensor_at "$1" "${place%%[^0-9]*}")"
      ;;
    */metrics.jsonl)
      update=${old%%,*}
      { diff <(tr , '\n' <<<"$old") <(tr , '\n' <<<"$new") || true; } |
        awk -v update="${update##*:}" '/^</ && !a { a = $2 } /^>/ && !b { b = $2 }
          END { print "update " update ": " a ", now " b }'
      ;;
    *)
      place=$(cmp <(echo "$old") <(echo "$new") 2>&1 | sed -E 's/.*byte ([0-9]+).*/\1/')
      place=$((place > 30 ? place - 30 : 0))
      echo "line ${line//[^0-9]/}: '${old:place:60}', now '${new:place:60}'"
      ;;
  esac
}

# Prints the names of all files and links below some paths. The config and the metrics come first, because their
# difference says most.
files_of() {  # SIDE, PATHS
  (
    cd "$work/$1"
    shift
    find "$@" \( -name cache -o -name lock -o -name '*.err' \) -prune -o -type f -print \
      -o -type l -printf '%p -> %l\n' |
      sed -E 's|^.*/config.json$|1 &|; t; s|^.*/metrics.jsonl$|2 &|; t; s|^|3 |' |
      LC_ALL=C sort | cut -d ' ' -f 2-
  )
}

# Prints which program failed, if any did.
check_codes() {  # NAMES AND PATHS
  local file code side
  for side in before after; do
    for file in "$@"; do
      [[ $file == *.code ]] || continue
      code=$(cat "$work/$side/$file")
      [[ $code == 0 ]] || { echo "exit code $code $side, see $work/$side/${file%.code}.err" && return; }
    done
  done
}

# Prints those of the files that are on both sides and differ.
differing() {  # FILES
  local file
  for file in "$@"; do
    [[ $file != *" -> "* && -e $work/after/$file ]] || continue
    cmp -s <(essence "$work/before/$file") <(essence "$work/after/$file") || echo "$file"
  done
}

# Compares a case: all files below the paths, of both sides.
compare() {  # NAME, PATHS
  local name=$1 files different found
  shift
  cases=$((cases + 1))
  mapfile -t files < <(files_of before "$@")
  mapfile -t different < <(differing "${files[@]}")
  found=$(check_codes "${files[@]}")
  if [[ -n $found ]]; then
    :
  elif ((${#files[@]} == 0)); then
    found="no files"
  elif ((${#different[@]} > 0)); then
    found="${different[0]} ($(first_difference "$work/before/${different[0]}" \
      "$work/after/${different[0]}")), ${#different[@]} of ${#files[@]} files"
  else  # a file or a link that only one side has
    found=$(diff <(printf '%s\n' "${files[@]}") <(files_of after "$@") | sed -n '2p') || true
  fi
  if [[ -z $found ]]; then
    equal=$((equal + 1))
    printf 'equal      %s (%s files)\n' "$name" "${#files[@]}"
  else
    printf 'DIFFERENT  %s: %s\n' "$name" "$found"
  fi
}

compare_all() {
  local name used
  cd "$work/before"
  while read -r name _; do
    compare "training $name" "runs/$name" "out/$name".train*.code
    mapfile -t used < <(outputs | sed -E "s|^([^ ]+).*|out/$name.\1.out\nout/$name.\1.code|")
    compare "using $name" "${used[@]}"
  done < <(trainings)
  while read -r name _; do
    compare "$name" "out/$name.other.out" "out/$name.other.code"
  done < <(others)
  compare "written by the above" files
}

cases=0
equal=0
make_programs "${1:-HEAD}"
make_text "$work"
begin=$SECONDS
run_cases before &
before=$!
trap 'kill "$before" 2>/dev/null || true' EXIT # where this side fails or is stopped
run_cases after
wait "$before"
trap - EXIT
compare_all
echo "took $((SECONDS - begin)) s"
echo "same_bits: $equal of $cases equal"
((equal == cases))
