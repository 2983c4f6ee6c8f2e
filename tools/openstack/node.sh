#!/bin/sh
# Makes this process a machine for itself, inside of namespaces that `unshare` has made, and stays as its first process.
# Nothing of it is seen outside, and all of it goes when this process ends.
#   node.sh NAME DIRECTORY
set -eu
name=$1
directory=$2

# What is unmounted outside goes away here as well; nothing done here is seen there.
mount --make-rslave /
hostname "$name"

# What programs leave in /run and /etc of one machine, they must not find on the other.
mount -t tmpfs -o mode=0755 tmpfs /run
mkdir -p /run/lock /run/netns /run/docker
mount --bind "$directory/hosts" /etc/hosts

# A sysfs shows the network of who mounted it; the control groups below it are kept.
mkdir /run/cgroup
mount --rbind /sys/fs/cgroup /run/cgroup
mount -t sysfs sysfs /sys
mount --rbind /run/cgroup /sys/fs/cgroup
umount --lazy /run/cgroup

# mount(8) runs this one program for `-t nfs`.
[ ! -x "$directory/mount.nfs" ] || mount --bind "$directory/mount.nfs" /sbin/mount.nfs

ip link set lo up
echo "$$" >"$directory/$name.pid"

# Orphans of this pid namespace come to its first process, and a shell that waits takes them.
sleep infinity &
while :; do wait; done
