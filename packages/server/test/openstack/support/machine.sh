#!/bin/sh
# Makes this process a machine on which everything may be changed, inside of namespaces that `unshare` has made, and stays
# as its first process. Its files are those of the machine it is on; what is written to them is kept apart and goes with it.
#   machine.sh NAME DIRECTORY CHECKOUT
set -eu
name=$1
directory=$2
checkout=$3

mount --make-rprivate /
mount -t tmpfs -o mode=0755 tmpfs "$directory"
mkdir "$directory/upper" "$directory/work" "$directory/root"
mount -t overlay -o "lowerdir=/,upperdir=$directory/upper,workdir=$directory/work" overlay "$directory/root"
cd "$directory/root"
mkdir -p opt/zund var/lib/docker
for name_of_kernel in sys dev; do mount --rbind "/$name_of_kernel" "$name_of_kernel"; done
mount -t proc proc proc
mount -t tmpfs -o mode=0755 tmpfs run
# An engine cannot have its layers in an overlay.
mount -t tmpfs -o mode=0711 tmpfs var/lib/docker
# Not where it is: units hide /home, /root and /tmp.
mount --rbind "$checkout" opt/zund
# Mounts of that machine are not in the overlay.
mount --bind /sbin/mount.nfs sbin/mount.nfs
cat /etc/hosts >etc/hosts
# Of a zund that runs or ran there: this one has none yet.
rm -rf var/lib/zund var/lib/zun var/log/zun etc/zun etc/zun.conf
mkdir -p run/lock run/old
echo "$name" >etc/hostname
hostname "$name"
pivot_root . run/old
umount --lazy /run/old
# Mounts of its services are seen by its engine.
mount --make-rshared /
ln -sf /opt/zund/zund /usr/bin/zund
echo ready

# Orphans of this pid namespace come to its first process, and a shell that waits takes them.
sleep infinity &
while :; do wait; done
