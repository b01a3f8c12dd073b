#!/bin/sh
# Replaces what runs of a job on a host by another release: all of it, or none. It runs on when the connection is lost, and
# then goes back to what ran before. It lies in the folder of the new release.
# usage: swap.sh JOB RELEASE WATCHER SECONDS [SNAPSHOT] (absolute folders; SNAPSHOT takes the place of the data)
#
# WATCHER is a process of the connection. JOB/swap/said holds what is done: `ended`, `started`, `kept`, `back` or `failed`
# and a reason. JOB/swap/want holds what the command line wants: `keep` or `back`. Without WATCHER, and after SECONDS, it goes back.

job=$1 release=$2 watcher=$3 seconds=$4 restored=${5-}
umask 077
. "$release/process.sh"
. "$release/job.sh"
swap="$job/swap"
before=$(cat "$job/current" 2>/dev/null)

first_line() { printf '%s\n' "$1" | head -n 1; }

say() { echo "$1" >"$swap/said.new" && mv -f "$swap/said.new" "$swap/said"; }

# Copies the data as the release before left them. Blocks are shared where the file system can.
copy_data() {
  rm -rf "$job/snapshots.new" && mkdir -p "$job/snapshots.new" && cp -a --reflink=auto "$job/data" "$job/snapshots.new/$before"
}

# usage: take_data FOLDER
take_data() {
  rm -rf "$job/data.new" && cp -a --reflink=auto "$1" "$job/data.new" && rm -rf "$job/data" && mv "$job/data.new" "$job/data"
}

# usage: go_back WHY
go_back() {
  stop >/dev/null
  # What was copied in vain may have filled the disk.
  rm -rf "$job/snapshots.new" "$job/data.new"
  # The data are as they were, too, where another release could have changed their form.
  [ -z "$before" ] || [ ! -e "$swap/data-differ" ] || [ ! -d "$job/snapshots/$before" ] || take_data "$job/snapshots/$before"
  wake_first=yes
  [ -z "$ran" ] || start "$job/releases/$before" >/dev/null
  say "$1"
  exit 1
}

wanted() { cat "$swap/want" 2>/dev/null; }

main() {
  # Not '': what is started here would ignore them, too.
  trap : HUP INT TERM PIPE
  cd "$job" || exit 1
  ran=$(stop) || go_back "failed a process does not end"
  [ -n "$before" ] || ran=''
  say ended
  if [ -n "$before" ] && [ "$before" != "${release##*/}" ]; then
    why=$(copy_data 2>&1) || go_back "failed the data cannot be copied: $(first_line "$why")"
    [ -z "$restored" ] || why=$(take_data "$restored" 2>&1) || go_back "failed the data cannot be copied: $(first_line "$why")"
    # The copy of an earlier release is of no more use.
    rm -rf "$job/snapshots" && mv "$job/snapshots.new" "$job/snapshots"
  fi
  why=$(start "$release" 2>&1) || go_back "failed a process runs that was not ended: $(first_line "$why")"
  say started
  until=$(($(date +%s) + seconds))
  while :; do
    case $(wanted) in
      keep) break ;;
      back) go_back back ;;
    esac
    # What is wanted may have been said just before the connection was lost.
    kill -0 "$watcher" 2>/dev/null || [ "$(wanted)" = keep ] || go_back back
    [ "$(date +%s)" -lt "$until" ] || go_back back
    pause 05
  done
  for room in $(cut -d' ' -f1 "$release/processes"); do : >"$job/processes/$room/healthy"; done
  echo "${release##*/}" >"$job/current.new" && mv -f "$job/current.new" "$job/current"
  rm -f "$job/stopped"
  say kept
}

main
