#!/bin/sh
# Mounts cgroups where no init system did, as a container engine needs them. Does nothing where any are mounted.
# Run as a program; the test runner uses it too.
set -eu

base=/sys/fs/cgroup
needed=' cpu cpuacct cpuset memory devices freezer blkio pids '

[ -d "$base" ] && [ -r /proc/cgroups ] || exit 0
while read -r _ point type _; do
  case $point:$type in "$base":cgroup2 | "$base"/*:cgroup) exit 0 ;; esac
done </proc/mounts

mountpoint -q "$base" || mount -t tmpfs -o uid=0,gid=0,mode=0755 cgroup "$base"
mounted=0

# $1: directory, $2: options of the mount
hierarchy() {
  mkdir -p "$base/$1"
  if mount -n -t cgroup -o "$2" cgroup "$base/$1" 2>/dev/null; then mounted=1; else rmdir "$base/$1"; fi
}

# Hierarchies that the kernel has, mounted elsewhere: containerd finds no statistics when it misses one of them.
while IFS=: read -r _ names _; do
  case $names in
    '') ;;
    name=*) hierarchy "${names#name=}" "none,$names" ;;
    *) hierarchy "$names" "$names" ;;
  esac
done </proc/self/cgroup

# Controllers without a hierarchy yet. Only those that are needed: for the reason above a new hierarchy would take the
# statistics away from engines that run elsewhere on this kernel.
while read -r controller number _ enabled; do
  case $needed in *" $controller "*) ;; *) continue ;; esac
  if [ "$number" = 0 ] && [ "$enabled" = 1 ]; then hierarchy "$controller" "$controller"; fi
done </proc/cgroups

# None to be had one by one: the kernel has them all in the unified hierarchy.
[ "$mounted" = 1 ] || mount -t cgroup2 cgroup2 "$base"
