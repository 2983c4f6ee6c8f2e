# Sourced by ./zund for `up`. Sees to a container engine that answers on a unix socket.

# Pulls from a registry need the certificates; sized volumes need e2fsprogs.
engine_packages='docker.io iptables e2fsprogs ca-certificates'

# The few options of `up` that matter before the server runs. It checks all of them again; they are looked at here so
# that a slip of the pen is told before anything is installed.
read_up_options() {
  may_install=1
  state_dir=
  while [ $# -gt 0 ]; do
    case $1 in
      --no-install) may_install=0 ;;
      --detach) ;;
      --state-dir=*) state_dir=${1#*=} ;;
      --api-port=* | --wsproxy-port=* | --bind=* | --config-file=* | --config-dir=*) ;;
      --state-dir | --api-port | --wsproxy-port | --bind | --config-file | --config-dir)
        [ $# -gt 1 ] || misuse "$1 needs a value"
        [ "$1" != --state-dir ] || state_dir=$2
        shift
        ;;
      *) misuse "up does not know '$1'" ;;
    esac
    shift
  done
  if [ -z "$state_dir" ]; then state_dir=${ZUND_STATE_DIR:-}; fi
  if [ -z "$state_dir" ]; then
    if [ "$(id -u)" = 0 ]; then
      state_dir=/var/lib/zund
    else
      state_dir=${XDG_STATE_HOME:-${HOME:-}/.local/state}/zund
    fi
  fi
}

use_engine() {
  engine_socket=/var/run/docker.sock
  case ${DOCKER_HOST:-} in
    '') ;;
    unix://*) engine_socket=${DOCKER_HOST#unix://} ;;
    *) die "DOCKER_HOST is $DOCKER_HOST, but only unix:// is accepted: whoever reaches an engine by TCP is root on its host" ;;
  esac
  if [ -S "$engine_socket" ] && [ ! -w "$engine_socket" ]; then
    die "no permission to use the container engine at $engine_socket; run as root or join the group that owns it"
  fi
  if engine_answers; then return 0; fi
  case $engine_trouble in
    hangs) die "the container engine at $engine_socket takes connections but does not answer; see its log" ;;
    refuses) die "what listens at $engine_socket does not answer as a container engine does" ;;
  esac
  [ "$engine_socket" = /var/run/docker.sock ] || [ "$engine_socket" = /run/docker.sock ] ||
    die "no container engine answers at $engine_socket (from DOCKER_HOST); start it, or unset DOCKER_HOST"
  how='install and start one (on Debian: apt-get install docker.io), or set DOCKER_HOST=unix://PATH'
  [ "$may_install" = 1 ] || die "no container engine answers at $engine_socket; $how"
  [ "$(id -u)" = 0 ] || die "no container engine answers at $engine_socket; $how, or run as root to have it done"
  is_debian || die "no container engine answers at $engine_socket; $how"
  command -v dockerd >/dev/null || install_engine
  start_engine
}

# Sets engine_trouble to absent, hangs or refuses.
engine_answers() {
  engine_trouble=absent
  [ -S "$engine_socket" ] || return 1
  if command -v curl >/dev/null; then
    if answer=$(curl -s -m 5 --noproxy '*' --unix-socket "$engine_socket" http://engine/_ping); then code=0; else code=$?; fi
  else
    if answer=$(node "$root/tools/launcher/ping-engine.ts" "$engine_socket"); then code=0; else code=$?; fi
  fi
  case $code:$answer in
    0:OK) return 0 ;;
    7:*) ;; # cURL's number for "could not connect"; ping-engine.ts uses the same two.
    28:*) engine_trouble=hangs ;;
    *) engine_trouble=refuses ;;
  esac
  return 1
}

is_debian() {
  [ -r /etc/os-release ] && command -v apt-get >/dev/null || return 1
  # shellcheck source=/dev/null
  family=$(. /etc/os-release && echo " ${ID:-} ${ID_LIKE:-} ")
  case $family in *' debian '* | *' ubuntu '*) return 0 ;; *) return 1 ;; esac
}

install_engine() {
  say "installing the container engine ($engine_packages)"
  need_writable "$root/.zund"
  # shellcheck disable=SC2086
  quietly 'installing the container engine' sh "$root/tools/launcher/apt-install.sh" $engine_packages
}

start_engine() {
  if [ -d /run/systemd/system ]; then
    say 'starting the container engine with systemd'
    systemctl start docker >/dev/null 2>&1 || true
    wait_for_engine 'see: journalctl -u docker'
    return 0
  fi
  need_writable "$state_dir"
  engine_log=$state_dir/engine.log
  # The package's own script may have started one just now.
  if ! engine_process_runs; then
    say "starting the container engine (its log: $engine_log)"
    sh "$root/tools/launcher/cgroups.sh" || say 'could not mount cgroups'
    rm -f /var/run/docker.pid
    setsid dockerd >>"$engine_log" 2>&1 </dev/null &
    engine_pid=$!
    echo "$engine_pid" >"$state_dir/engine.pid"
  fi
  wait_for_engine "see $engine_log"
}

# A pid file may outlive its process and name a stranger; dockerd would then refuse to start.
engine_process_runs() {
  engine_pid=$(cat /var/run/docker.pid 2>/dev/null || true)
  [ -n "$engine_pid" ] && [ "$(cat "/proc/$engine_pid/comm" 2>/dev/null || true)" = dockerd ]
}

wait_for_engine() {
  tries=120
  while ! engine_answers; do
    tries=$((tries - 1))
    [ "$tries" -gt 0 ] || die "the container engine was started but does not answer at $engine_socket; $1"
    if [ -n "${engine_pid:-}" ] && has_ended "$engine_pid"; then
      tail -n 3 -- "$engine_log" >&2
      die "the container engine ended at once; $1"
    fi
    sleep 0.5
  done
}

# Also of a child of this shell that it has not waited for.
has_ended() {
  case $(cat "/proc/$1/stat" 2>/dev/null || true) in '' | *') Z '*) return 0 ;; *) return 1 ;; esac
}
