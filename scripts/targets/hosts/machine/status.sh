# Tells what became of each process of a job, as lines `key=value`; `name` begins the next one.
# usage: JOB NAME…; process.sh stands before this text.

job=$1
shift
for name; do
  room="$job/processes/$name"
  echo "name=$name"
  echo "pid=$(holder "$job/data/$name.lock")"
  echo "supervisor=$(holder "$room/supervisor")"
  [ ! -r "$room/report.json" ] || sed 's/^/report=/' "$room/report.json"
  [ ! -r "$room/end" ] || sed 's/^/end=/' "$room/end"
done
