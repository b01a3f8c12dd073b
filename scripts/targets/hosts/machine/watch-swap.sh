# Begins a swap, and tells what it says until it has ended. When the connection is lost, this ends and the swap goes back.
# usage: JOB RELEASE SECONDS DIFFER [SNAPSHOT]; process.sh and job.sh stand before this text.

job=$1 release=$2 seconds=$3 differ=$4
shift 4
swap="$job/swap"
other=$(holder "$swap/lock")
if [ -n "$other" ]; then
  echo "failed another command (process $other there) is changing this job"
  exit
fi
rm -rf "$swap" && mkdir -p "$swap" "$job/logs" || exit
[ "$differ" = no ] || : >"$swap/data-differ"
: >"$swap/lock"
find_systemd
apart sh "$release/swap.sh" "$job" "$release" "$$" "$seconds" "$@" </dev/null >>"$job/logs/swap.log" 2>&1 &
swapping=$!
overwrite "$swap/lock" "$(identity "$swapping")"
last=''
while :; do
  lives=$(holder "$swap/lock")
  said=$(cat "$swap/said" 2>/dev/null)
  if [ "$said" != "$last" ]; then
    echo "$said"
    last=$said
  fi
  [ -n "$lives" ] || break
  pause 05
done
