#!/bin/sh
# Becomes the supervisor of one process of a job on a host. It lies in the folder of the release, beside supervise.sh.
# usage: run.sh JOB RELEASE NAME WORKERD RESTART (the first two: absolute folders)

umask 077
job=$1 release=$2 name=$3 binary=$4 restart=$5
room="$job/processes/$name"
. "$release/process.sh"
set -a
. "$job/secrets/${release##*/}/$name.env"
set +a
# Paths of unix sockets count from here: they may not be long.
cd "$job" || exit 1
overwrite "$room/supervisor" "$(identity $$)"
exec sh "$release/supervise.sh" "$binary" "$release/config.$name.capnp" "$job/logs/$name.log" "$room" "$job/data" \
  "$job/data/$name.lock" "$restart" : : <<GO
go
GO
