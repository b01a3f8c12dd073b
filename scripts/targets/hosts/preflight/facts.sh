# Tells what a host has, as lines `key=value`. Makes ~/.troupe, and changes nothing else.
# usage: PORTS JOB (PORTS as /proc/net/tcp writes them, with | between); process.sh stands before this text.

say() { printf '%s=%s\n' "$1" "$2"; }
has() { command -v "$1" >/dev/null 2>&1; }
briefly() { if has timeout; then timeout 3 "$@"; else "$@"; fi; }

# First, while the deploying machine knows best when it asked.
say clock "$(date +%s)"
say kernel "$(uname -s)"
machine=$(uname -m)
say machine "$machine"
[ "$(uname -s)" = Linux ] || exit 0

say libc "$(getconf GNU_LIBC_VERSION 2>/dev/null || ldd --version 2>&1 | head -n 1)"
case $machine in
  x86_64) loader=/lib64/ld-linux-x86-64.so.2 ;;
  *) loader=/lib/ld-linux-aarch64.so.1 ;;
esac
[ -e "$loader" ] || say noloader "$loader"

folder=$HOME/.troupe
probe=$folder/.preflight.$$
write() { mkdir -p "$folder" && printf '#!/bin/sh\nexit 0\n' >"$probe" && chmod 700 "$probe"; }
if refusal=$(write 2>&1); then
  "$probe" 2>/dev/null || say noexec yes
else
  say unwritable "$(printf '%s\n' "$refusal" | tail -n 1)"
fi
rm -f "$probe" 2>/dev/null
say disk "$(df -Pk "$folder" 2>/dev/null | tail -n 1)"
[ ! -d "$folder/jobs/$2/data" ] || say data "$(du -sk "$folder/jobs/$2/data" 2>/dev/null | cut -f1)"
say folder "$(cat /proc/sys/kernel/random/boot_id) $(stat -c '%d %i' "$folder" 2>/dev/null)"
say memory "$(sed -n 's/^MemAvailable: *\([0-9]*\) kB$/\1/p' /proc/meminfo)"

for program in base64 dd grep gzip sed sha256sum ssh-keygen; do has "$program" || say missing "$program"; done
has setsid || has nohup || say missing setsid
for file in "$folder"/cache/workerd-*; do
  case $file in *.part) ;; *) [ ! -f "$file" ] || say workerd "${file##*/}" ;; esac
done

for lock in "$folder"/jobs/*/data/*.lock "$folder"/jobs/*/proof/data/*.lock; do
  pid=$(holder "$lock")
  job=${lock#"$folder/jobs/"}
  [ -z "$pid" ] || say process "$pid ${job%%/*}"
done

# The pid of a program that holds one of these sockets: lines `/proc/PID/fd:`, each with lines of its files below.
socket_holders() {
  ls -l /proc/[0-9]*/fd 2>/dev/null | grep -E "^/proc/|socket:\[($1)\]" | while IFS= read -r line; do
    case $line in
      /proc/*)
        pid=${line#/proc/}
        pid=${pid%%/*}
        ;;
      *)
        inode=${line##*\[}
        IFS= read -r program <"/proc/$pid/comm" || program=
        say holder "${inode%\]} $pid $program"
        ;;
    esac
  done
}

inodes=
if [ -n "$1" ]; then
  listeners=$(grep -hE "^ *[0-9]+: [0-9A-F]+:($1) [0-9A-F]+:[0-9A-F]+ 0A " /proc/net/tcp /proc/net/tcp6 2>/dev/null)
  while read -r _ local _ _ _ _ _ _ _ inode _; do
    [ -n "$local" ] || continue
    say listener "$local $inode"
    inodes="$inodes${inodes:+|}$inode"
  done <<LISTENERS
$listeners
LISTENERS
fi
[ -z "$inodes" ] || socket_holders "$inodes"

if has systemctl; then
  export XDG_RUNTIME_DIR="${XDG_RUNTIME_DIR:-/run/user/$(id -u)}"
  briefly systemctl --user show-environment >/dev/null 2>&1 && say userservices yes
fi
[ ! -e "/var/lib/systemd/linger/$(id -un)" ] || say linger yes
