#!/bin/bash
# The first process of a lab: of a user-mode-linux guest, or of new namespaces on a machine whose kernel has IPVS.
# Input files in LAB_SCRATCH: kind, command (arguments terminated by NUL), directory, environment.
# Output files: output, exit.
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C.UTF-8
kind=$(<"$LAB_SCRATCH/kind")
directory=$(<"$LAB_SCRATCH/directory")

if [ "$kind" = uml ]; then
  # The root is the host's file system, read-only. Only the scratch folder is also mounted writable.
  mount -t proc proc /proc
  mount -t sysfs sys /sys
  mkdir -p /dev/shm /dev/pts
  mount -t tmpfs shm /dev/shm
  mount -t devpts pts /dev/pts
  mount -t hostfs -o "$LAB_SCRATCH" scratch "$LAB_SCRATCH"
  hostname lab
fi

# Both may be below one of the folders that are replaced by empty ones now, and must stay visible.
exec 8<"$directory" 9<"$LAB_SCRATCH"
for folder in /run /var/lib /var/log /var/tmp; do mount -t tmpfs lab "$folder"; done
for kept in "8 $directory" "9 $LAB_SCRATCH"; do
  read -r fd path <<<"$kept"
  [ -e "$path" ] || { mkdir -p "$path" && mount --no-canonicalize --bind "/proc/self/fd/$fd" "$path"; }
done
exec 8<&- 9<&-
mkdir -p /run/lock /run/netns /run/home /run/tmp
# One thread of V8 for the one processor: a start of node takes a tenth less processor time than with four.
[ "$kind" = uml ] && export NODE_OPTIONS=--v8-pool-size=1
export HOME=/run/home TMPDIR=/run/tmp LAB_KIND=$kind

if [ "$kind" = uml ]; then
  mkdir -p /run/modules/lib/modules /run/bin
  ln -s "/usr/lib/uml/modules/$(uname -r)" /run/modules/lib/modules/
  # The kernel loads missing modules (schedulers, nftables expressions) by running this; tests may use it too.
  printf '#!/bin/sh\nexec /sbin/modprobe -d /run/modules "$@"\n' >/run/bin/modprobe
  chmod +x /run/bin/modprobe
  echo /run/bin/modprobe >/proc/sys/kernel/modprobe
  PATH=/run/bin:$PATH
  modprobe ipv6
fi

ip link set lo up
ulimit -n "$(ulimit -H -n)"
set -a
. "$LAB_SCRATCH/environment"
set +a
cd "$directory" || exit
mapfile -d '' -t command <"$LAB_SCRATCH/command"
# A test may boot the guest again: then the command runs again, and finds what it has left in LAB_SCRATCH.
"${command[@]}" >>"$LAB_SCRATCH/output" 2>&1 </dev/null
echo $? >"$LAB_SCRATCH/exit"

if [ "$kind" = uml ]; then
  sync
  echo o >/proc/sysrq-trigger
  sleep 10
fi
