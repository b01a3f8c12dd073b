#!/bin/sh
# Starts what ran when the host went down. systemd runs it. It lies in the folder of the job.

umask 077
job=${0%/*}
[ ! -e "$job/stopped" ] || exit 0
IFS= read -r number <"$job/current" || exit 0
release="$job/releases/$number"
. "$release/process.sh"
. "$release/job.sh"
wake_first=yes
start "$release"
