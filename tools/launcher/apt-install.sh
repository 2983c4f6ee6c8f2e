#!/bin/sh
# Installs Debian packages without asking anything. Run as a program; the test runner uses it too.
# With --no-start first, no service of theirs is started.
set -eu
export DEBIAN_FRONTEND=noninteractive

if [ "$1" = --no-start ]; then
  shift
  policy=/usr/sbin/policy-rc.d
  # One that is there says what it says.
  if [ ! -e $policy ]; then
    trap 'rm -f $policy' EXIT
    trap 'exit 1' HUP INT TERM
    printf '#!/bin/sh\nexit 101\n' >$policy
    chmod 755 $policy
  fi
fi

install_packages() {
  apt-get install -y -q --no-install-recommends -o DPkg::Lock::Timeout=300 "$@"
}

# The package lists may be missing, or so old that the mirror no longer has what they name.
install_packages "$@" || {
  apt-get update -q -o DPkg::Lock::Timeout=300
  install_packages "$@"
}
