#!/bin/bash
# The first process of a lab: of a user-mode-linux guest, or of fresh namespaces on a machine whose kernel has IPVS.
# LAB_SCRATCH holds: kind, command (arguments ended by NUL), directory, environment. It gets: output, exit.
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C.UTF-8
kind=$(<"$LAB_SCRATCH/kind")

if [ "$kind" = uml ]; then
  # The root is the host's file system, read-only. Only the scratch folder is mounted again, writable.
  mount -t proc proc /proc
  mount -t sysfs sys /sys
  mkdir -p /dev/shm /dev/pts
  mount -t tmpfs shm /dev/shm
  mount -t devpts pts /dev/pts
  mount -t hostfs -o "$LAB_SCRATCH" scratch "$LAB_SCRATCH"
  hostname lab
fi

for folder in /run /var/lib /var/log /var/tmp; do mount -t tmpfs lab "$folder"; done
mkdir -p /run/lock /run/netns /run/home /run/tmp
export HOME=/run/home TMPDIR=/run/tmp

if [ "$kind" = uml ]; then
  mkdir -p /run/modules/lib/modules /run/bin
  ln -s "/usr/lib/uml/modules/$(uname -r)" /run/modules/lib/modules/
  # The kernel asks for missing modules (schedulers, nftables expressions) by running this; tests may, too.
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
cd "$(<"$LAB_SCRATCH/directory")" || exit
mapfile -d '' -t command <"$LAB_SCRATCH/command"
"${command[@]}" >"$LAB_SCRATCH/output" 2>&1 </dev/null
echo $? >"$LAB_SCRATCH/exit"

if [ "$kind" = uml ]; then
  sync
  echo o >/proc/sysrq-trigger
  sleep 10
fi
