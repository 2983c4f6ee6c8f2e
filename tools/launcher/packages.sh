# Sourced by ./zund after use_runtime. Sees to node_modules.

# $1: `run` (what the server needs) or `all` (with the tools of development). The stamp lives inside node_modules, so it
# goes when that does.
use_packages() {
  wanted_set=$1
  packages_key="$(cat -- "$root"/package.json "$root"/package-lock.json "$root"/packages/*/package.json | cksum) $node_version"
  if have_packages; then return 0; fi
  lock_setup
  # Somebody else may have done it while this one waited.
  have_packages || install_packages
  unlock_setup
}

have_packages() {
  stamp=$root/node_modules/.zund
  had_set=''
  had_key=''
  [ ! -r "$stamp" ] || read -r had_set had_key <"$stamp" || return 1
  [ "$had_key" = "$packages_key" ] || return 1
  [ "$had_set" = all ] || [ "$had_set" = "$wanted_set" ]
}

# Not `npm ci`: it refuses a lock file without the optional packages of every other platform, and not every registry
# serves those. `npm install --no-save` takes the locked versions and leaves the lock file as it is.
install_packages() {
  # A tree that has the development set keeps it.
  if [ "$had_set" = all ] || [ -d "$root/node_modules/typescript" ]; then wanted_set=all; fi
  command -v npm >/dev/null || die 'npm is missing; on Debian: apt-get install npm'
  say 'installing npm packages'
  if [ "$wanted_set" = all ]; then dev=--include=dev; else dev=--omit=dev; fi
  missing="npm must reach its registry, or $root/node_modules come from a machine that can"
  # shellcheck disable=SC2086
  quietly 'installing npm packages' npm install --no-save --no-audit --no-fund $dev $npm_patience --prefix "$root"
  missing=
  printf '%s %s\n' "$wanted_set" "$packages_key" >"$stamp"
}
