#!/bin/sh
# Debian's systemd as the init system of a machine, with nothing to do but what it is given later. It has namespaces of its
# own for pids and control groups; of the latter only the unified hierarchy, which it shares with nobody.
#   machine-init.sh NAME
set -eu

if [ "${2:-}" != inside ]; then
  mkdir -p /run/control-groups
  mountpoint -q /run/control-groups || mount -t cgroup2 cgroup2 /run/control-groups
  mkdir "/run/control-groups/$1"
  echo 0 >"/run/control-groups/$1/cgroup.procs"
  exec unshare --mount --propagation=unchanged --pid --cgroup --fork --kill-child -- sh "$0" "$1" inside
fi

for mounted in /proc /sys /dev /run /usr; do mountpoint -q "$mounted" && mount --make-rprivate "$mounted"; done
mount -t proc proc /proc
umount --recursive /sys/fs/cgroup
mount -t cgroup2 cgroup2 /sys/fs/cgroup
# Not the console of the real machine.
mount --bind /dev/null /dev/console

# What the distribution would start is not wanted.
cd /lib/systemd/system
mkdir /run/units
cp -a -- basic.target multi-user.target network.target network-online.target shutdown.target sysinit.target \
  systemd-journald.service systemd-journald.socket /run/units
cp /run/units/network-online.target /run/units/docker.service
cat >/run/units/docker.service <<'TEXT'
[Unit]
Description=The engine, which runs already
[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/bin/true
TEXT
ln -s multi-user.target /run/units/default.target
mount --bind /run/units /lib/systemd/system
for generators in /lib/systemd/system-generators /etc/systemd/system; do mount -t tmpfs tmpfs "$generators"; done

exec env -i container=test PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
  /lib/systemd/systemd --log-target=journal --show-status=false
