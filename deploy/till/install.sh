#!/usr/bin/env bash
# Makes a bare Debian or Ubuntu machine a till, or brings a newer version onto it. Run as root from a checkout:
#
#   deploy/till/install.sh               install, or upgrade to this checkout; the till stops for some seconds
#   deploy/till/install.sh --no-screen   without Chromium on this machine's display
#   deploy/till/install.sh --no-start    but start nothing yet: to make it a till of a store first
#   deploy/till/install.sh rollback      back to the version that ran before
#
#   deploy/till/install.sh rollback --with-data
#                                        back to it, with the database of before the upgrade (docs/operations/kiosk.md, Going back)
#   deploy/till/install.sh seal-key      the key of the database into the TPM; --without-tpm: a key of this machine's disk instead
#   deploy/till/install.sh unseal-key    and back into a file, from the TPM or from paper
#   deploy/till/install.sh uninstall     takes the program away, and nothing that was sold
#
# TILLMESH_ROOT=DIR puts everything under DIR and touches no service: to look at what would be there. Where systemd does not run, as in
# a chroot that becomes a card's image, services are enabled and start with the machine.
set -euo pipefail
umask 022 # the users of the till and of the screen read what root puts here

checkout=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
deploy=$checkout/deploy/till
root=${TILLMESH_ROOT:-}
home=$root/opt/tillmesh
data=$root/var/lib/tillmesh
sealed=$root/etc/tillmesh/database.cred
screen=yes
with_data=no
with_tpm=yes
start=yes
what=install
for word in "$@"; do
    case $word in
        --no-screen) screen=no ;;
        --no-start) start=no ;;
        --with-data) with_data=yes ;;
        --without-tpm) with_tpm=no ;;
        install | rollback | seal-key | unseal-key | uninstall) what=$word ;;
        *) echo "install: unknown word '$word'; see the first lines of this file" >&2; exit 2 ;;
    esac
done

say() { printf 'install: %s\n' "$*" >&2; }
die() { say "$*"; exit 1; }
on_system() { if [ -z "$root" ] && [ -d /run/systemd/system ]; then "$@"; fi; }
till() { if [ -z "$root" ]; then "$deploy/tillmesh.sh" "$@"; else "$home/current/.venv/bin/tillmesh" "$@"; fi; }
tables() { find "$1/src/tillmesh/adapters/sqlite/migrations" -name '*.sql' 2>/dev/null | wc -l; }

[ -n "$root" ] || [ "$(id -u)" -eq 0 ] || die "run this as root"

switch_to() { # RELEASE: what ran before is kept as "previous"
    [ -d "$home/releases/$1" ] || die "there is no release $1 in $home/releases"
    if [ -L "$home/current" ] && [ "$(readlink "$home/current")" != "releases/$1" ]; then
        ln -sfn "$(readlink "$home/current")" "$home/previous"
    fi
    ln -sfn "releases/$1" "$home/current.new"
    mv -T "$home/current.new" "$home/current" # one step: there is always a version
    say "release $1 is the current one"
}

put() { install -D -m 0644 "$1" "$root$2"; }

hand_over_key() { # the unit is given the sealed key if there is one
    local part=$root/etc/systemd/system/tillmesh-till.service.d/key.conf
    if [ -e "$sealed" ]; then
        mkdir -p "$(dirname "$part")"
        printf '[Service]\nLoadCredentialEncrypted=tillmesh-database-key:/etc/tillmesh/database.cred\n' >"$part"
    else
        rm -f "$part"
    fi
    on_system systemctl daemon-reload
}

units_of() { # RELEASE's directory: a program and its unit fit each other
    local part=$root/etc/systemd/system/tillmesh-till.service.d/older.conf
    if [ -e "$1/deploy/till/tillmesh-till.service" ]; then
        install -D -m 0644 "$1/deploy/till/tillmesh-till.service" "$root/etc/systemd/system/tillmesh-till.service"
        rm -f "$part"
    else # a program that does not tell systemd that it lives
        mkdir -p "$(dirname "$part")"
        printf '[Service]\nType=simple\nWatchdogSec=0\n' >"$part"
    fi
    hand_over_key
}

rollback() {
    [ -L "$home/previous" ] || die "no earlier version is here"
    local back
    back=$(basename "$(readlink "$home/previous")")
    [ -d "$home/releases/$back" ] || die "there is no release $back in $home/releases"
    on_system systemctl stop tillmesh-till.service
    if [ "$with_data" = yes ]; then
        till doctor --data-dir "$data" --before-upgrade ||
            { on_system systemctl start tillmesh-till.service; die "the database is as it was, and so is the version"; }
    elif [ "$(tables "$home/current")" -gt "$(tables "$home/releases/$back")" ]; then
        # An older program does not open a database that a newer one has brought up to date: it says so and changes nothing.
        say "$back knows fewer tables: if it refuses the database, see docs/operations/kiosk.md, Going back"
    fi
    switch_to "$back"
    units_of "$home/current"
    on_system systemctl start tillmesh-till.service
}

seal_key() {
    local key=$data/keys/database.key
    # Register 23 is nobody's and stays 0: bound to the chip alone. Bound to none at all, systemd 252 seals what it can't open.
    local how=(--with-key=tpm2 --tpm2-pcrs=23)
    [ ! -e "$sealed" ] || die "the key is sealed already, in $sealed"
    [ -f "$key" ] || die "there is no $key; start the till once, then it makes one"
    if [ "$with_tpm" = no ]; then
        how=(--with-key=host)
    else # systemd-creds has-tpm2 says no to a machine whose firmware did not measure its start; its TPM seals all the same
        [ -e /sys/class/tpmrm/tpmrm0 ] || die "this machine has no TPM, or it is switched off in its firmware"
        on_system apt-get -qq install -y --no-install-recommends tpm2-tools >/dev/null || true # what speaks to it
    fi
    install -d "$(dirname "$sealed")"
    systemd-creds encrypt "${how[@]}" --name=tillmesh-database-key "$key" "$sealed.new" ||
        { rm -f "$sealed.new"; die "the key could not be sealed; nothing is changed"; }
    say "the key of the database, for the papers of the shop; whoever has it and the disk reads everything:"
    od -An -v -tx1 -w8 "$key" | sed 's/^ /    /'
    on_system systemctl stop tillmesh-till.service
    systemd-creds decrypt --name=tillmesh-database-key "$sealed.new" - | cmp -s - "$key" ||
        { rm -f "$sealed.new"; on_system systemctl start tillmesh-till.service; die "what was sealed does not open again; nothing is changed"; }
    chmod 0600 "$sealed.new"
    mv "$sealed.new" "$sealed"
    hand_over_key
    mv "$key" "$key.off"
    if ! till doctor --data-dir "$data"; then
        mv "$key.off" "$key"
        rm -f "$sealed"
        hand_over_key
        on_system systemctl start tillmesh-till.service
        die "the till does not open its data with the sealed key; nothing is changed"
    fi
    shred -u "$key.off"
    on_system systemctl start tillmesh-till.service
    say "the key is in $sealed, and opens on this machine only"
}

unseal_key() {
    local key=$data/keys/database.key digits
    [ ! -e "$key" ] || die "the key is in $key already"
    on_system systemctl stop tillmesh-till.service
    umask 077
    if [ ! -e "$sealed" ] || ! systemd-creds decrypt --name=tillmesh-database-key "$sealed" "$key.new" 2>/dev/null; then
        say "the sealed key does not open here; type the 64 digits from the papers of the shop, then Enter"
        read -r digits
        digits=$(printf '%s' "$digits" | tr -d '[:space:]')
        [[ $digits =~ ^[0-9a-fA-F]{64}$ ]] || die "these are not 64 digits of 0-9 and a-f; nothing is changed"
        printf %s "$digits" | python3 -c 'import sys; sys.stdout.buffer.write(bytes.fromhex(sys.stdin.read()))' >"$key.new"
    fi
    [ -n "$root" ] || chown tillmesh:tillmesh "$key.new"
    mv "$key.new" "$key"
    [ ! -e "$sealed" ] || mv "$sealed" "$sealed.old"
    hand_over_key
    on_system systemctl start tillmesh-till.service
    say "the key is in $key; see with: tillmesh doctor --data-dir $data"
}

uninstall() {
    on_system systemctl disable --now --quiet tillmesh-kiosk.service tillmesh-till.service tillmesh-backup.timer 2>/dev/null || true
    rm -rf "$root/etc/systemd/system/tillmesh-till.service.d"
    rm -f "$root/etc/systemd/system/tillmesh-till.service" "$root/etc/systemd/system/tillmesh-kiosk.service" \
        "$root/etc/systemd/system/tillmesh-backup.service" "$root/etc/systemd/system/tillmesh-backup.timer" \
        "$root/etc/udev/rules.d/70-tillmesh.rules" \
        "$root/etc/systemd/journald.conf.d/tillmesh.conf" \
        "$root/etc/chromium/policies/managed/tillmesh.json" "$root/usr/local/sbin/tillmesh"
    rm -rf "${home:?}"
    on_system systemctl daemon-reload
    on_system systemctl set-default --quiet multi-user.target
    say "the program is gone; what was sold is untouched in $data, its settings in $root/etc/tillmesh"
    say "install.sh puts the program back on it"
}

case $what in
    rollback) rollback; exit 0 ;;
    seal-key) seal_key; exit 0 ;;
    unseal-key) unseal_key; exit 0 ;;
    uninstall) uninstall; exit 0 ;;
esac

if [ -z "$root" ]; then
    # libusb for USB printers without a driver, usbutils for lsusb. Cage does not start without Xwayland and seatd: logind
    # gives a display only to whom polkit lets have it, and a bare machine has none.
    packages=(python3 python3-venv libzbar0 libusb-1.0-0 usbutils udev util-linux ca-certificates)
    [ "$screen" = no ] || packages+=(chromium cage fonts-liberation dbus libpam-systemd seatd xwayland libgl1-mesa-dri)
    export DEBIAN_FRONTEND=noninteractive
    apt-get -qq update
    apt-get -qq install -y --no-install-recommends "${packages[@]}" >/dev/null
    getent passwd tillmesh >/dev/null || useradd --system --home-dir /var/lib/tillmesh --shell /usr/sbin/nologin tillmesh
    install -d -o tillmesh -g tillmesh -m 0700 "$data"
    getent passwd tillscreen >/dev/null || useradd --system --create-home --shell /usr/sbin/nologin tillscreen
fi

version=$(sed -nE 's/^version = "(.*)"/\1/p' "$checkout/pyproject.toml")
mark=$(git -C "$checkout" rev-parse --short HEAD 2>/dev/null) || mark=$(date +%Y%m%d%H%M%S)
release=$version-$mark
place=$home/releases/$release
if [ ! -e "$place/complete" ]; then
    say "preparing $release"
    rm -rf "$place"
    mkdir -p "$place/deploy"
    for part in src requirements docs pyproject.toml README.md LICENSE NOTICE; do cp -a "$checkout/$part" "$place/"; done
    cp -a "$deploy" "$place/deploy/"
    chown -R root:root "$place" 2>/dev/null || true
    python3 -m venv "$place/.venv"
    (
        cd "$place"
        .venv/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/build.txt
        .venv/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes \
            -r requirements/terminal.txt -r requirements/ai.txt
        .venv/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation .
        .venv/bin/tillmesh doctor >/dev/null || { .venv/bin/tillmesh doctor; exit 1; }
    ) || die "$release does not work on this machine; what ran before goes on"
    touch "$place/complete"
fi

on_system systemctl stop tillmesh-till.service 2>/dev/null || true
switch_to "$release"
[ -e "$root/etc/tillmesh/till.env" ] || put "$deploy/till.env" /etc/tillmesh/till.env
units_of "$place"
put "$deploy/tillmesh-backup.service" /etc/systemd/system/tillmesh-backup.service
put "$deploy/tillmesh-backup.timer" /etc/systemd/system/tillmesh-backup.timer
put "$deploy/70-tillmesh.rules" /etc/udev/rules.d/70-tillmesh.rules
put "$deploy/journald.conf" /etc/systemd/journald.conf.d/tillmesh.conf
install -D -m 0755 "$deploy/tillmesh.sh" "$root/usr/local/sbin/tillmesh"
if [ "$screen" = yes ]; then # the screen goes with the newest version that was here: any of them is shown by it
    put "$deploy/tillmesh-kiosk.service" /etc/systemd/system/tillmesh-kiosk.service
    put "$deploy/browser-policy.json" /etc/chromium/policies/managed/tillmesh.json
    put "$deploy/waiting.html" /opt/tillmesh/screen/waiting.html
    for script in screen.sh display.sh; do install -D -m 0755 "$deploy/$script" "$home/screen/$script"; done
fi

if [ -z "$root" ]; then
    on_system systemctl daemon-reload
    on_system systemctl restart systemd-journald.service
    on_system udevadm control --reload || true
    on_system udevadm trigger --subsystem-match=usb --subsystem-match=usbmisc --subsystem-match=tty || true # for what is plugged in
    systemctl enable --quiet tillmesh-till.service
    if [ "$screen" = yes ]; then
        systemctl set-default --quiet graphical.target
        systemctl enable --quiet tillmesh-kiosk.service
    fi
    if [ "$start" = yes ]; then
        on_system systemctl start tillmesh-till.service
        [ "$screen" = no ] || on_system systemctl restart tillmesh-kiosk.service
    fi
    for old in $(find "$home/releases" -mindepth 1 -maxdepth 1 -type d -printf '%T@ %f\n' | sort -rn | sed 1,3d | cut -d' ' -f2); do
        case $old in "$release" | "$(basename "$(readlink "$home/previous" 2>/dev/null)")") ;; *) rm -rf "${home:?}/releases/$old" ;; esac
    done
fi
if [ "$start" = yes ]; then say "done; the till answers at http://127.0.0.1:8081"; else say "done; start it with: systemctl start tillmesh-till"; fi
