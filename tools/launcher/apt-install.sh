#!/bin/sh
# Installs Debian packages without asking anything. Run as a program; the test runner uses it too.
set -eu
export DEBIAN_FRONTEND=noninteractive

install_packages() {
  apt-get install -y -q --no-install-recommends -o DPkg::Lock::Timeout=300 "$@"
}

# The package lists may be missing, or so old that the mirror no longer has what they name.
install_packages "$@" || {
  apt-get update -q -o DPkg::Lock::Timeout=300
  install_packages "$@"
}
