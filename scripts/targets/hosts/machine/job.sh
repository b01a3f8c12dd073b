# Starts and ends the processes of a job on a host. process.sh stands before this text, and $job is the job's folder, absolute.

pause() { sleep "0.$1" 2>/dev/null || sleep 1; }

# All processes that any release has started here.
known() {
  for room in "$job"/processes/*; do
    [ ! -d "$room" ] || echo "${room##*/}"
  done
}

# What holds the data or the supervision of a process. usage: holders NAME
holders() {
  holder "$job/processes/$1/supervisor"
  holder "$job/data/$1.lock"
}

# Whether systemd manages the account's services. Sets by_systemd to `systemd-run …`, or to nothing.
find_systemd() {
  by_systemd=
  command -v systemd-run >/dev/null || return 0
  export XDG_RUNTIME_DIR="${XDG_RUNTIME_DIR:-/run/user/$(id -u)}"
  systemctl --user show-environment >/dev/null 2>&1 || return 0
  by_systemd='systemd-run --user --scope --quiet --collect --'
}

# Runs a program in a session of its own, and where find_systemd found it outside of all logins, whose end could end it.
# usage: apart PROGRAM [ARGUMENT…]
apart() { exec $by_systemd $(command -v setsid || echo nohup) "$@"; }

# Starts processes of a release, all where none is named. Each outlives this connection, under a supervisor.
# Returns 3, and prints its pid, where one runs already. With $wake_first the supervisors ask the agents, as nobody else does.
# usage: start RELEASE [NAME…]
start() {
  release=$1
  shift
  [ $# -gt 0 ] || set -- $(cut -d' ' -f1 "$release/processes")
  find_systemd
  for name; do
    room="$job/processes/$name"
    mkdir -p "$room/machine" "$job/logs" "$job/data" || return
    running=$(holders "$name")
    [ -z "$running" ] || { echo "$name ${running%%[!0-9]*}" && return 3; }
    rm -f "$room/healthy" "$room/report.json" "$room/end"
    # Nothing of the login's environment but what workerd needs.
    apart env -i PATH="$PATH" HOME="$HOME" WAKE_FIRST="${wake_first-}" sh "$release/run.sh" "$job" "$release" "$name" \
      </dev/null >>"$job/logs/$name.log" 2>&1 &
    # At once: whoever stops the job a moment later has to find it.
    overwrite "$room/supervisor" "$(identity "$!")"
  done
}

# Sends SIGTERM to those of the locks' holders that live. usage: ask LOCK…
ask() {
  for lock; do
    pid=$(holder "$lock")
    [ -z "$pid" ] || kill "$pid" 2>/dev/null
  done
}

# Waits until nobody holds a lock, and sends SIGKILL after five seconds. usage: await LOCK
await() {
  begun=$(date +%s)
  while pid=$(holder "$1") && [ -n "$pid" ]; do
    waited=$(($(date +%s) - begun))
    [ "$waited" -le 5 ] || kill -9 "$pid" 2>/dev/null
    [ "$waited" -le 10 ] || return 1
    pause 02
  done
}

# Ends processes, all where none is named: first the supervisors, so that nothing restarts. Prints the names of those that
# ran. usage: stop [NAME…]
stop() {
  [ $# -gt 0 ] || set -- $(known)
  for name; do [ -z "$(holders "$name")" ] || echo "$name"; done
  for name; do ask "$job/processes/$name/supervisor"; done
  for name; do await "$job/processes/$name/supervisor" || return; done
  for name; do ask "$job/data/$name.lock"; done
  for name; do await "$job/data/$name.lock" || return; done
}
