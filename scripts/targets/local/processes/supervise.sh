#!/bin/sh
# Runs one workerd: restarts it when it ends by itself, measures the disk and keeps the log short. It is POSIX sh because a Node
# process would cost 40 MB a job. supervisor.ts starts it and explains its files. SIGTERM ends it and leaves workerd running.
# After a restart, and with WAKE_FIRST at once, WAKE asks the agents until all have answered.
#
# usage: supervise.sh WORKERD CONFIG LOG ROOM DATA LOCK never|on-failure [WAKE…]

MAX_LOG_BYTES=10485760
LOG_TAIL_BYTES=16384
LOG_LOOK_S=5
# A life of this length clears the record of earlier ends.
STEADY_S=10
# An early end counts 1 where the agents had been healthy, else 25; at 100 it is a crash loop.
LOOP=100
MAX_PAUSE_S=8
# With less than this on the disk an end is not the process's fault.
FULL_KB=1024

. "${0%/*}/process.sh"

say() {
  printf '{"timestamp":%s000,"level":"%s","message":"supervisor: %s"}\n' "$(date +%s)" "$1" "$2" >>"$log" 2>/dev/null
}

report() {
  overwrite "$room/report.json" "{\"state\":\"$1\",\"restarts\":$restarts,\"status\":${status:-null},\"endedAt\":${ended:-null}}"
}

shorten_log() {
  [ -f "$log" ] && [ "$(wc -c <"$log")" -gt "$MAX_LOG_BYTES" ] || return
  # workerd holds the file open: move its content, not the file.
  cp "$log" "$log.1" 2>/dev/null || rm -f "$log.1"
  : >"$log"
}

measure_disk() {
  df -Pk "$data" 2>/dev/null | {
    IFS= read -r line && IFS= read -r line || exit
    # Names may hold spaces. The last words before the percent sign: total, used, free, percentage.
    set -- ${line%%\%*}
    while [ $# -gt 4 ]; do shift; done
    [ $# -eq 4 ] || exit
    overwrite "$room/machine/disk.json" "{\"at\":$(date +%s),\"totalKb\":$1,\"freeKb\":$3}"
  }
}

is_full() {
  measure_disk
  [ "$(sed -n 's/.*"freeKb":\([0-9]*\).*/\1/p' "$room/machine/disk.json")" -lt "$FULL_KB" ] 2>/dev/null
}

# Runs until it is ended or the supervisor is gone. One watcher serves all lives of workerd, so no freed pid is ever signalled.
watch() {
  trap 'kill "$nap" 2>/dev/null; exit' TERM
  looks=0
  while kill -0 "$$" 2>/dev/null; do
    measure_disk
    looks=$((looks + 1))
    [ $((looks % LOG_LOOK_S)) -ne 0 ] || shorten_log
    sleep 1 &
    nap=$!
    wait "$nap"
  done
}

finish() {
  kill "$watcher" 2>/dev/null
  wait "$watcher"
  exit "$1"
}

# Records how workerd ended, and decides on a restart: sets pause, or ends the supervisor.
take_stock() {
  ended=$(date +%s)
  tail -c "$LOG_TAIL_BYTES" "$log" >"$room/end" 2>/dev/null
  [ -e "$room/healthy" ] && was_healthy=1 || was_healthy=
  if [ "$restart" = never ] || { [ -z "$was_healthy" ] && [ "$restarts" -eq 0 ]; }; then
    report ended
    finish 1
  fi
  if [ $((ended - began)) -ge "$STEADY_S" ]; then record=0 pause=0; fi
  if [ -n "$was_healthy" ]; then
    record=$((record + 1))
  elif ! is_full; then
    record=$((record + 25))
  fi
  if [ "$record" -ge "$LOOP" ]; then
    say error "workerd ended with status $status; it ended at each start and is given up"
    report failed
    finish 1
  fi
  [ -z "$was_healthy" ] || [ "$pause" -le 1 ] || pause=1
  say error "workerd ended with status $status; it is restarted in $pause s"
}

rest() {
  report waiting
  sleep "$pause" &
  wait "$!"
  [ -z "$told" ] || finish 0
  [ "$pause" -eq 0 ] && pause=1 || pause=$((pause * 2))
  [ "$pause" -le "$MAX_PAUSE_S" ] || pause=$MAX_PAUSE_S
}

start() {
  # workerd binds no unix socket whose file a killed process has left.
  rm -f "$room/healthy" "$room/socket"
  shorten_log
  say info "workerd starts"
  # Before workerd can answer: a client that gets an answer must find the restart counted.
  report running
  "$binary" serve "$config" </dev/null >>"$log" 2>&1 &
  pid=$!
  overwrite "$lock" "$(identity "$pid")"
  began=$(date +%s)
}

# Agents register and wake their sessions when they are asked.
wake() {
  "$@" </dev/null >>"$log" 2>&1 && kill -0 "$$" 2>/dev/null && : >"$room/healthy"
}

main() {
  binary=$1 config=$2 log=$3 room=$4 data=$5 lock=$6 restart=$7
  shift 7
  WAKE_FIRST=${WAKE_FIRST-}
  umask 077
  ulimit -n "$(ulimit -Hn)" 2>/dev/null || ulimit -n 10240 2>/dev/null
  told='' restarts=0 record=0 pause=0 status='' ended=''
  trap 'told=1' TERM
  # The starting command takes the lock first; if it dies before that, nothing starts.
  read -r word && [ "$word" = go ] || exit 0
  exec </dev/null
  watch &
  watcher=$!
  while :; do
    start
    if [ $# -gt 0 ] && [ "$restarts$WAKE_FIRST" != 0 ]; then wake "$@" & fi
    [ -n "$told" ] || wait "$pid"
    status=$?
    [ -z "$told" ] || finish 0
    take_stock
    rest
    restarts=$((restarts + 1))
  done
}

main "$@"
exit
