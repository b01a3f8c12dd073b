# What the scripts that run processes share. To be read with `.`, by a POSIX sh.

# Overwrites a file with text of a fixed length, which works on a full disk.
overwrite() { printf '%-160s\n' "$2" 2>/dev/null 1<>"$1"; }

# Start time of a process that runs, in the form of process.ts.
started_of() {
  if [ -r "/proc/$1/stat" ]; then
    IFS= read -r stat <"/proc/$1/stat"
    # The program's name may hold spaces and brackets: count fields from its end.
    set -- ${stat##*) }
    # It has ended, and init has not noticed yet.
    [ "$1" != Z ] || return 0
    shift 19
    echo "$1"
  else
    LC_ALL=C ps -o lstart= -p "$1" | sed 's/^ *//; s/ *$//'
  fi
}

# What a lock says of its process.
identity() { printf '{"pid":%s,"started":"%s"}' "$1" "$(started_of "$1")"; }

# The pid of the process that holds a lock, while it runs.
holder() {
  said=
  [ -r "$1" ] || return 0
  # read fails where the line does not end, as in a lock of lock.ts.
  IFS= read -r said <"$1" || [ -n "$said" ] || return 0
  held=${said#*'"pid":'}
  held=${held%%[!0-9]*}
  [ -n "$held" ] && kill -0 "$held" 2>/dev/null || return 0
  case $said in *"\"started\":\"$(started_of "$held")\""*) echo "$held" ;; esac
}
