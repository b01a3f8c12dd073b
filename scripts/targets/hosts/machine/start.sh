# Starts a process of a release, which then outlives this connection. Exits with 3, and prints the pid, where one runs already.
# usage: JOB RELEASE NAME WORKERD RESTART; process.sh stands before this text.

set -eu
umask 077
job=$1 release=$2 name=$3
room="$job/processes/$name"
mkdir -p "$room/machine" "$job/logs" "$job/data"
for lock in "$room/supervisor" "$job/data/$name.lock"; do
  pid=$(holder "$lock")
  if [ -n "$pid" ]; then
    echo "$pid"
    exit 3
  fi
done
rm -f "$room/healthy" "$room/report.json" "$room/end"
command -v setsid >/dev/null && detached=setsid || detached=nohup
# Nothing of the login's environment but what workerd needs.
env -i PATH="$PATH" HOME="$HOME" "$detached" sh "$release/run.sh" "$@" </dev/null >>"$job/logs/$name.log" 2>&1 &
