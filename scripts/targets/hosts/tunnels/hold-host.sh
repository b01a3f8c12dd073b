#!/bin/sh
# Holds the tunnels to one host: connects, makes the forwards anew, and connects again when the connection is lost. hold.sh starts it.
# usage: hold-host.sh PLACE; descriptor 3 ends with hold.sh

# A connection of this length clears the record of failures.
STEADY_S=10
MAX_PAUSE_S=30

. "${0%/*}/../../local/processes/process.sh"

pause() { sleep "0.$1" 2>/dev/null || sleep 1; }

# usage: report STATE [WHY]
report() {
  why=$(printf %.120s "${2-}")
  overwrite "$place.state" "$1 $(date +%s) $why"
  [ "$1 $why" != "$last" ] || return
  last="$1 $why"
  printf '%s %s is %s%s\n' "$(date '+%Y-%m-%dT%H:%M:%S%z')" "$place" "$1" "${why:+: $why}" >>log 2>/dev/null
}

# The last line of what ssh wrote into a file.
said() { tail -n 1 "$1" 2>/dev/null | tr -d '\r'; }

# Ends the ssh that an earlier life has left, or this one.
leave() {
  pid=$(holder "$place.ssh")
  [ -z "$pid" ] || kill "$pid" 2>/dev/null
  [ -z "$1" ] || wait "$1" 2>/dev/null
  rm -f "$place.ctl" "$place.ssh"
}

# Runs ssh over the connection. usage: over ARGUMENTS-FILE
over() {
  eval "set -- $(cat "$1")"
  ssh "$@" 2>"$place.over"
}

# Connects, and makes the forwards; returns when the connection is gone, with the reason in `failure`.
connect() {
  failure='' ssh=''
  leave ''
  eval "set -- $(cat "$place.connect")"
  : >"$place.said"
  ssh "$@" </dev/null >>"$place.said" 2>&1 &
  ssh=$!
  overwrite "$place.ssh" "$(identity "$ssh")"
  # ssh makes this socket once it is logged in.
  until [ -S "$place.ctl" ]; do
    kill -0 "$ssh" 2>/dev/null || {
      failure=$(said "$place.said")
      return
    }
    pause 05
  done
  over "$place.prepare" <"$place.script" || {
    failure="its folder of sockets cannot be made: $(said "$place.over")"
    return
  }
  over "$place.forward" </dev/null || {
    failure="ssh makes no forward there: $(sed -n 's/.*request failed: //p' "$place.over" | head -n 1)"
    return
  }
  report up
  wait "$ssh"
  failure=$(said "$place.said")
}

# hold.sh is gone.
abandon() {
  for lock in "$place.lock" "$place.ssh"; do
    pid=$(holder "$lock")
    [ -z "$pid" ] || kill "$pid"
  done
}

finish() {
  trap '' TERM
  kill "$napping" "$watcher" 2>/dev/null
  leave "$ssh"
  exit 0
}

main() {
  umask 077
  place=$1 last='' rest=1 ssh='' napping=''
  trap finish TERM INT HUP
  { read -r _ <&3 || abandon; } >/dev/null 2>&1 &
  watcher=$!
  exec 3<&-
  report connecting
  while :; do
    began=$(date +%s)
    connect
    leave "$ssh"
    report down "${failure:-the connection was lost}"
    [ $(($(date +%s) - began)) -lt "$STEADY_S" ] || rest=1
    sleep "$rest" &
    napping=$!
    wait "$napping"
    rest=$((rest * 2))
    [ "$rest" -le "$MAX_PAUSE_S" ] || rest=$MAX_PAUSE_S
  done
}

main "$@"
exit
