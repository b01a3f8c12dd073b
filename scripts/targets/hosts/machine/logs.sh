# Prints the last lines of a job's logs, each behind its process's name, and with `follow` every new one.
# usage: JOB LINES follow|end

job=$1 lines=$2 mode=$3
shown() {
  while IFS= read -r line; do printf '%s %s\n' "$1" "$line"; done
}
for log in "$job"/logs/*.log; do
  [ -f "$log" ] || continue
  name=${log##*/}
  name=${name%.log}
  if [ "$mode" = follow ]; then
    tail -n "$lines" -F "$log" 2>/dev/null | shown "$name" &
  else
    { cat "$log.1" 2>/dev/null; cat "$log"; } | tail -n "$lines" | shown "$name"
  fi
done
wait
