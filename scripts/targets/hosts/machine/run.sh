#!/bin/sh
# Becomes the supervisor of one process of a job on a host. It lies in the folder of the release, beside supervise.sh.
# usage: run.sh JOB RELEASE NAME (the first two: absolute folders)

umask 077
job=$1 release=$2 name=$3
room="$job/processes/$name"
. "$release/process.sh"
while read -r each restart binary; do [ "$each" != "$name" ] || break; done <"$release/processes"
[ "$each" = "$name" ] || exit 1
set -a
. "$job/secrets/${release##*/}/$name.env"
set +a
# Paths of unix sockets count from here: they may not be long.
cd "$job" || exit 1
set -- "$binary" "$release/config.$name.capnp" "$job/logs/$name.log" "$room" "$job/data" "$job/data/$name.lock" "$restart"
# workerd itself asks the agents: nothing else that could has to be here. What it logs meanwhile says nothing.
[ ! -f "$release/wake.$name.capnp" ] || set -- "$@" sh -c 'exec "$@" 2>/dev/null' sh "$binary" test "$release/wake.$name.capnp"
exec sh "$release/supervise.sh" "$@" <<GO
go
GO
