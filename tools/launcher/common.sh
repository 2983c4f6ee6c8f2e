# Sourced by ./zund; needs $root.

say() {
  printf 'zund: %s\n' "$*" >&2
}

die() {
  say "$*"
  exit 1
}

misuse() {
  say "$*; see ./zund --help"
  exit 2
}

# Makes a directory of ours, or says that it cannot be written to.
need_writable() {
  mkdir -p -- "$1" 2>/dev/null || die "cannot make the directory $1"
  [ -w "$1" ] || die "cannot write to $1"
}

# The value of a one-line string property of a JSON file of ours. No other process is started for it.
json_value() {
  while IFS= read -r line; do
    case $line in *"\"$1\": \""*) ;; *) continue ;; esac
    line=${line#*\": \"}
    printf '%s\n' "${line%%\"*}"
    break
  done <"$2"
}

# By itself npm tries for five minutes before it says that there is no network.
npm_patience='--fetch-timeout=20000 --fetch-retries=2 --fetch-retry-mintimeout=1000 --fetch-retry-maxtimeout=5000'

# Runs a command silently; when it fails, shows the end of what it said, what may be $missing, and gives up.
quietly() {
  what=$1
  shift
  if "$@" >"$root/.zund/setup.log" 2>&1 </dev/null 8>&-; then return 0; fi
  tail -n 15 "$root/.zund/setup.log" >&2
  die "$what failed${missing:+ ($missing)}; all it said is in $root/.zund/setup.log"
}

# One set-up at a time in this checkout. The kernel lets go of the lock when its holder dies, so it cannot go stale.
lock_setup() {
  command -v flock >/dev/null || die 'flock is missing; on Debian: apt-get install util-linux'
  need_writable "$root/.zund"
  exec 8>"$root/.zund/lock"
  if ! flock -n 8; then
    say 'waiting for another set-up of this checkout to finish'
    flock -w 900 8 || die 'another set-up of this checkout does not finish'
  fi
}

# Whatever is started later must not inherit the lock.
unlock_setup() {
  exec 8>&-
}
