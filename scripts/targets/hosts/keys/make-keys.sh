#!/bin/sh
# Makes the keys that agents of this host do not have yet, and prints the public halves. The private ones never leave the host. Nothing but
# ssh-keygen, grep and coreutils has to be there. public-keys.ts reads what it prints: `key NAME SIGNING TLS`, a line for each name.
#
# usage: make-keys.sh FOLDER NAME…
#
# FOLDER/NAME comes into being as a whole. It holds, for TLS, `tls.pem` (P-256, PKCS #8) and `tls.pub` (SPKI); for tokens, `signing`
# (Ed25519, PKCS #8) and `signing.pub` (32 bytes); for ids, `key` (32 random bytes). All but tls.pem are one line of base64 without an end.

# PKCS #8 of an Ed25519 key, up to its seed (RFC 8410).
PKCS8='\060\056\002\001\000\060\005\006\003\053\145\160\004\042\004\040'
# The bytes of an unencrypted openssh-key-v1 file of one Ed25519 key at which its public key and its seed begin. The first byte is 1.
PUBLIC_AT='63 126 194'
SEED_AT=162

fail() {
  printf '%s\n' "$1" >&2
  exit 1
}

one_line() { base64 | tr -d '\n'; }
base64url() { one_line | tr -d = | tr '+/' '-_'; }

# usage: bytes FILE FIRST
bytes() { tail -c "+$2" "$1" | head -c 32; }

# usage: has LENGTH FILE
has() { [ "$(wc -c <"$2")" -eq "$1" ]; }

make_tls() {
  ssh-keygen -q -t ecdsa -b 256 -m PKCS8 -N '' -C '' -f tls.pem </dev/null >&2 || fail "ssh-keygen made no TLS key."
  IFS= read -r first <tls.pem
  [ "$first" = '-----BEGIN PRIVATE KEY-----' ] || fail "ssh-keygen made a TLS key of another form: $first"
  ssh-keygen -e -m PKCS8 -f tls.pem.pub </dev/null | grep -v -e ----- | tr -d '\n' >tls.pub
  has 124 tls.pub || fail "ssh-keygen wrote a public TLS key of another form."
  rm tls.pem.pub
}

make_signing() {
  ssh-keygen -q -t ed25519 -N '' -C '' -f openssh </dev/null >&2 || fail "ssh-keygen made no signing key."
  grep -v -e ----- openssh | base64 -d >raw || fail "ssh-keygen made a signing key that is not base64."
  # The file has its public key thrice. Where all three agree, the seed is where it is expected.
  for at in $PUBLIC_AT; do bytes raw "$at" | base64url && echo; done | sort -u >publics
  tr -d '\n' <publics >signing.pub
  has 43 signing.pub || fail "ssh-keygen made a signing key of another form."
  # shellcheck disable=SC2059
  { printf "$PKCS8" && bytes raw "$SEED_AT"; } | base64url >signing
  has 64 signing || fail "ssh-keygen made a signing key of another length."
  rm openssh openssh.pub raw publics
}

make_key() {
  head -c 32 /dev/urandom | base64url >key
  has 43 key || fail "/dev/urandom gave no 32 bytes, or the disk is full."
}

# usage: make NAME. The agent's folder gets its name when all is in it.
make() {
  mkdir "$aside" && cd "$aside" || fail "$folder/$aside cannot be made."
  make_tls
  make_signing
  make_key
  cd "$folder" || fail "$folder cannot be entered."
  # Before the name: a power loss must not leave empty files behind it.
  sync "$aside"/* 2>/dev/null || sync
  # Another run may have been faster. Its keys count.
  mv -T "$aside" "$1" 2>/dev/null || [ -d "$1" ] || fail "$folder/$1 cannot be made."
  rm -rf "$aside"
}

# usage: print NAME
print() {
  for file in tls.pem tls.pub signing signing.pub key; do
    [ -s "$1/$file" ] || fail "$folder/$1/$file is missing or empty. Remove the folder $folder/$1 and deploy again."
  done
  printf 'key %s %s %s\n' "$1" "$(cat "$1/signing.pub")" "$(cat "$1/tls.pub")"
}

# Private keys that killed runs left are no longer of use.
remove_leftovers() {
  for left in .making.*; do
    kill -0 "${left##*.}" 2>/dev/null || rm -rf "$left"
  done
}

main() {
  umask 077
  # What a login shell may have set, and what changes `cd`, `tr` and patterns.
  unset CDPATH
  export LC_ALL=C
  command -v ssh-keygen >/dev/null || fail "ssh-keygen is missing. Install it: it is part of openssh-client."
  mkdir -p -- "$1" && cd -- "$1" && chmod 700 . || fail "The folder $1 cannot be made."
  folder=$PWD aside=.making.$$
  shift
  remove_leftovers
  trap 'cd "$folder" && rm -rf "$aside"' EXIT
  trap 'exit 1' HUP INT TERM
  for name in "$@"; do
    case $name in '' | -* | *[!a-z0-9_-]*) fail "'$name' is no name of an agent." ;; esac
    [ -e "$name" ] || make "$name"
    print "$name"
  done
}

main "$@"
exit
