#!/bin/sh
# Mounts cgroups where no init system did, as a container engine needs them. Does nothing where any are mounted.
# Run as a program; the test runner uses it too.
set -eu

base=/sys/fs/cgroup
[ -d "$base" ] && [ -r /proc/cgroups ] || exit 0
while read -r _ point type _; do
  case $point:$type in "$base":cgroup2 | "$base"/*:cgroup) exit 0 ;; esac
done </proc/mounts

mountpoint -q "$base" || mount -t tmpfs -o uid=0,gid=0,mode=0755 cgroup "$base"
mounted=0
while read -r controller _ _ enabled; do
  case $controller in '#'*) continue ;; esac
  [ "$enabled" = 1 ] || continue
  mkdir -p "$base/$controller"
  if mount -n -t cgroup -o "$controller" cgroup "$base/$controller" 2>/dev/null; then
    mounted=1
  else
    rmdir "$base/$controller"
  fi
done </proc/cgroups
# No controller to be had one by one: the kernel has them all in the unified hierarchy.
[ "$mounted" = 1 ] || mount -t cgroup2 cgroup2 "$base"
