# Ends processes of a job: first their supervisors, so that nothing restarts. SIGTERM, and SIGKILL after five seconds.
# usage: JOB NAME…; process.sh stands before this text. Prints the names of those that ran.

set -u
job=$1
shift

ask() {
  pid=$(holder "$1")
  [ -z "$pid" ] || kill "$pid" 2>/dev/null
  [ -n "$pid" ]
}

await() {
  looks=0
  while pid=$(holder "$1") && [ -n "$pid" ]; do
    [ "$looks" -ne 250 ] || kill -9 "$pid" 2>/dev/null
    [ "$looks" -lt 500 ] || return 1
    looks=$((looks + 1))
    sleep 0.02 2>/dev/null || sleep 1
  done
}

failed=0
for name; do ask "$job/processes/$name/supervisor" && echo "$name"; done
for name; do await "$job/processes/$name/supervisor" || failed=1; done
for name; do ask "$job/data/$name.lock" && echo "$name"; done
for name; do await "$job/data/$name.lock" || failed=1; done
exit "$failed"
