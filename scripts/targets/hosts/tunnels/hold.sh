#!/bin/sh
# Holds the tunnels of a job: an ssh to each host, for as long as this runs. holder.ts starts it, in the folder of the tunnels, and explains
# its files. SIGTERM ends it, and every ssh with it; so does its death, which closes the pipe `life`.
# usage: hold.sh PLACE…

LOOK_S=5
MAX_LOG_BYTES=1000000

here=${0%/*}
. "$here/../../local/processes/process.sh"

nap() {
  sleep "$1" &
  napping=$!
  wait "$napping"
  kill "$napping" 2>/dev/null
}

finish() {
  trap '' TERM
  kill "$napping" 2>/dev/null
  for place in $places; do
    pid=$(holder "$place.lock")
    [ -z "$pid" ] || kill "$pid" 2>/dev/null
  done
  wait
  rm -f ./[0-9]* ./*.lock ./*.state ./life
  exit 0
}

main() {
  umask 077
  places=$* napping=''
  [ ! -f log ] || [ "$(wc -c <log)" -le "$MAX_LOG_BYTES" ] || : >log
  overwrite lock "$(identity "$$")"
  rm -f life && mkfifo life || exit 1
  # Every other process only reads: where this one is gone, they come to the end.
  exec 8<>life
  trap finish TERM INT HUP
  while :; do
    for place in $places; do
      [ -n "$(holder "$place.lock")" ] || {
        sh "$here/hold-host.sh" "$place" 3<life 8>&- </dev/null &
        overwrite "$place.lock" "$(identity "$!")"
      }
    done
    nap "$LOOK_S" 8>&-
  done
}

main "$@"
exit
