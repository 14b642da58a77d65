#!/usr/bin/env bash
# Watches a training from outside, and says whether memory and files stay what they are:
#
#   tests/soak.sh RUN [SECONDS]     the folder of a run that trains; every 10 seconds until it ends
#
# Prints resident memory after the first minute of watching, at the end and at most, the open files,
# and the speed that the run reports, as the median of each ten minutes.
set -euo pipefail

run=${1:?usage: tests/soak.sh RUN [SECONDS]}
seconds=${2:-3600}
pid=$(<"$run/lock")
samples=$(mktemp)
trap 'rm -f "$samples"' EXIT
begin=$EPOCHSECONDS
lines=$(wc -l <"$run/metrics.jsonl")

while [[ -r /proc/$pid/status ]] && ((EPOCHSECONDS - begin < seconds)); do
  memory=$(awk '/^VmRSS/ { print $2 }' "/proc/$pid/status" || true)
  files=(/proc/"$pid"/fd/*)
  [[ -z $memory ]] || echo "$((EPOCHSECONDS - begin)) $memory ${#files[@]}" >>"$samples"
  sleep 10
done

awk '
  $1 >= 60 && !first { first = $2; fewest = most_files = $3; least = most = $2 }
  first { last = $2; if ($2 > most) most = $2; if ($2 < least) least = $2
          files = $3
          if ($3 < fewest) fewest = $3; if ($3 > most_files) most_files = $3; end = $1 }
  END {
    if (!first) { print "soak: nothing to say before a minute has gone"; exit 1 }
    mb = 1024 / 1e6
    printf "memory     %.1f MB after a minute, %.1f at the end (%d s), %.1f to %.1f: %+.2f %% at most\n", \
      first * mb, last * mb, end, least * mb, most * mb, 100 * (most - first) / first
    printf "files      %d to %d open, %d at the end\n", fewest, most_files, files
  }' "$samples"
tail -n +$((lines + 1)) "$run/metrics.jsonl" | grep '"kind":"train"' |
  sed -E 's/.*"tokens_per_second":([0-9.]+).*"seconds":([0-9.]+).*/\2 \1/' |
  awk '
    { time += $1; block = int(time / 600); speed[block, ++count[block]] = $2; last = block }
    END {
      printf "tokens/s   "
      for (b = 0; b <= last; b++) {
        n = count[b]
        for (i = 1; i <= n; i++) value[i] = speed[b, i]
        for (i = 2; i <= n; i++)
          for (j = i; j > 1 && value[j] < value[j - 1]; j--) { t = value[j]; value[j] = value[j - 1]; value[j - 1] = t }
        if (n) printf "%s%.0f", b ? ", " : "", value[int((n + 1) / 2)]
      }
      print ""
    }'
