#!/usr/bin/env bash
# A whole machine to try deploy/till/ on: bare Debian with this checkout's newest commit put on by install.sh, booted in QEMU with a display,
# a network and a disk of its own. As root; needs debootstrap, systemd-container, qemu-system-x86, qemu-utils, e2fsprogs and ssh.
#
#   scripts/trial.sh make DIR               makes DIR with the machine's disk: a quarter of an hour, 8 GB; SUITE=trixie for another Debian
#   scripts/trial.sh boot DIR               switches it on, and waits until its till answers
#   scripts/trial.sh in DIR COMMAND...      runs a command in it, as root
#   scripts/trial.sh till DIR               brings its till to http://127.0.0.1:18081 here, until Ctrl+C
#   scripts/trial.sh picture DIR FILE.png   what is on its display
#   scripts/trial.sh key DIR KEYS...        types on its keyboard, e.g. 1 2 3 4 ret, in QEMU's words
#   scripts/trial.sh cut DIR                takes its power away
#   scripts/trial.sh off DIR                shuts it down
#   scripts/trial.sh reset DIR              the disk again as "make" left it; the machine must be off
#
# TRIAL_QEMU: how the processor is made, in QEMU's words; "-accel tcg,thread=multi -cpu max" where KVM is there and does not work.
# TRIAL_DISPLAY: the graphics chip in QEMU's words (virtio-vga). TRIAL_PORT: where its ssh is brought to (18022), the till to one of 18081 or TILL_PORT.
# Nothing of this machine is changed but DIR. docs/operations/trial.md says what was seen with it.
set -euo pipefail

checkout=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
what=${1:-}
dir=${2:-}
shift $(($# < 2 ? $# : 2))
port=${TRIAL_PORT:-18022}

say() { printf 'trial: %s\n' "$*" >&2; }
die() { say "$*"; exit 1; }
need() { command -v "$1" >/dev/null || die "there is no $1; see the first lines of this file"; }
[ -n "$dir" ] || { sed -n '2,/^set/{/^#/p}' "${BASH_SOURCE[0]}"; exit 2; }

make_disk() {
    [ ! -e "$dir/disk.img" ] || die "$dir/disk.img is there already"
    need debootstrap; need systemd-nspawn; need mkfs.ext4; need qemu-img
    mkdir -p "$dir"
    dir=$(cd "$dir" && pwd)
    local root=$dir/root home=/root # of its administrator
    say "bare Debian"
    debootstrap --variant=minbase \
        --include=systemd-sysv,udev,dbus,kmod,iproute2,ca-certificates,openssh-server,initramfs-tools,linux-image-amd64 \
        "${SUITE:-bookworm}" "$root" ${MIRROR:+"$MIRROR"} >"$dir/debootstrap.log" 2>&1 || die "see $dir/debootstrap.log"
    echo till >"$root/etc/hostname"
    echo '/dev/vda / ext4 errors=remount-ro 0 1' >"$root/etc/fstab"
    printf '[Match]\nType=ether\n[Network]\nDHCP=yes\n' >"$root/etc/systemd/network/wired.network"
    [ -e "$dir/key" ] || ssh-keygen -q -t ed25519 -N '' -f "$dir/key"
    install -D -m 0600 "$dir/key.pub" "$root$home/.ssh/authorized_keys"
    find /usr/local/share/ca-certificates -name '*.crt' -exec cp -t "$root/usr/local/share/ca-certificates" {} + 2>/dev/null || true
    git -c safe.directory='*' clone -q --depth 1 "file://$checkout" "$root/srv/tillmesh"
    say "install.sh"
    systemd-nspawn -q -D "$root" --pipe --register=no --keep-unit --resolv-conf=copy-host --setenv=PIP_CERT=/etc/ssl/certs/ca-certificates.crt \
        sh -ec 'update-ca-certificates >/dev/null 2>&1; systemctl enable --quiet systemd-networkd ssh; /srv/tillmesh/deploy/till/install.sh; apt-get clean' \
        >"$dir/install.log" 2>&1 || die "see $dir/install.log"
    cp -L "$root"/boot/vmlinuz-* "$dir/vmlinuz"
    cp -L "$root"/boot/initrd.img-* "$dir/initrd"
    say "its disk"
    mkfs.ext4 -q -d "$root" "$dir/disk.img" 8G
    rm -rf "$root"
    fresh_disk
}

fresh_disk() { # what happens goes into a second file
    qemu-img create -q -f qcow2 -b "$dir/disk.img" -F raw "$dir/now.qcow2"
}

is_on() { [ -e "$dir/pid" ] && kill -0 "$(cat "$dir/pid")" 2>/dev/null; }

boot() {
    ! is_on || die "it is on already"
    [ -e "$dir/now.qcow2" ] || die "there is no machine in $dir; make one"
    local fast
    read -ra fast <<<"${TRIAL_QEMU:-}"
    if [ "${#fast[@]}" -gt 0 ]; then
        :
    elif [ -w /dev/kvm ]; then
        fast=(-accel kvm -cpu host)
    else
        fast=(-accel 'tcg,thread=multi' -cpu max)
    fi
    qemu-system-x86_64 "${fast[@]}" -smp 2 -m 3G -display none -vga none -device "${TRIAL_DISPLAY:-virtio-vga}" \
        -kernel "$dir/vmlinuz" -initrd "$dir/initrd" -append 'root=/dev/vda rw console=tty0 console=ttyS0 net.ifnames=0' \
        -drive "file=$dir/now.qcow2,if=virtio,cache=writeback" -device virtio-rng-pci \
        -nic "user,model=virtio,hostfwd=tcp:127.0.0.1:$port-:22" \
        -serial "file:$dir/console.log" -monitor "unix:$dir/monitor,server,nowait" -pidfile "$dir/pid" -daemonize
    say "on; waiting for the till"
    local begun=$SECONDS
    until inside 'exec 3<>/dev/tcp/127.0.0.1/8081' 2>/dev/null; do
        is_on || die "QEMU ended; see $dir/console.log"
        [ $((SECONDS - begun)) -lt 1200 ] || die "no till after 20 minutes; see $dir/console.log"
        sleep 3
    done
    say "the till answers, $((SECONDS - begun)) s after the switch"
}

inside() {
    ssh -q -i "$dir/key" -p "$port" -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o ConnectTimeout=30 root@127.0.0.1 "bash -c $(printf %q "$*")"
}

monitor() { # COMMAND of QEMU
    python3 - "$dir/monitor" "$*" <<'PYTHON'
import socket, sys
with socket.socket(socket.AF_UNIX) as monitor:
    monitor.connect(sys.argv[1])
    said = b""
    for command in ("", sys.argv[2]):
        monitor.sendall(command.encode() + b"\n" if command else b"")
        said = b""
        while not said.endswith(b"(qemu) "):
            said += monitor.recv(65536)
PYTHON
}

case $what in
    make) make_disk ;;
    boot) boot ;;
    in) inside "$@" ;;
    till)
        exec ssh -q -N -L "127.0.0.1:${TILL_PORT:-18081}:127.0.0.1:8081" -i "$dir/key" -p "$port" -o StrictHostKeyChecking=no \
            -o UserKnownHostsFile=/dev/null root@127.0.0.1
        ;;
    picture)
        [ -n "${1:-}" ] || die "where to?"
        monitor "screendump $(realpath -m "$1") -f png"
        ;;
    key) for key in "$@"; do monitor "sendkey $key"; done ;;
    cut) kill -9 "$(cat "$dir/pid")"; rm -f "$dir/pid" ;;
    off)
        is_on || die "it is off"
        inside poweroff || true
        while is_on; do sleep 1; done
        ;;
    reset)
        ! is_on || die "it is on"
        fresh_disk
        ;;
    *) die "unknown word '$what'; see the first lines of this file" ;;
esac
