#!/usr/bin/env bash
# Makes a bare Debian or Ubuntu machine a till, or brings a newer version onto it. Run as root from a checkout:
#
#   deploy/till/install.sh               install, or upgrade to this checkout; the till stops for some seconds
#   deploy/till/install.sh --no-screen   without Chromium on this machine's display
#   deploy/till/install.sh rollback      back to the version that ran before
#
#   deploy/till/install.sh rollback --with-data
#                                        back to it, with the database of before the upgrade (docs/operations/kiosk.md, Going back)
#
# TILLMESH_ROOT=DIR puts everything under DIR and touches no service: to look at what would be there. Where systemd does not run, as in
# a chroot that becomes a card's image, services are enabled and start with the machine.
set -euo pipefail

checkout=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
root=${TILLMESH_ROOT:-}
home=$root/opt/tillmesh
data=$root/var/lib/tillmesh
screen=yes
with_data=no
what=install
for word in "$@"; do
    case $word in
        --no-screen) screen=no ;;
        --with-data) with_data=yes ;;
        install|rollback) what=$word ;;
        *) echo "install: unknown word '$word'; see the first lines of this file" >&2; exit 2 ;;
    esac
done

say() { printf 'install: %s\n' "$*" >&2; }
die() { say "$*"; exit 1; }
on_system() { if [ -z "$root" ] && [ -d /run/systemd/system ]; then "$@"; fi; }
as_till() { if [ -z "$root" ]; then setpriv --reuid tillmesh --regid tillmesh --init-groups "$@"; else "$@"; fi; }
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

if [ "$what" = rollback ]; then
    [ -L "$home/previous" ] || die "no earlier version is here"
    back=$(basename "$(readlink "$home/previous")")
    [ -d "$home/releases/$back" ] || die "there is no release $back in $home/releases"
    on_system systemctl stop tillmesh-till.service
    newer=$home/current
    if [ "$with_data" = yes ]; then
        as_till "$newer/.venv/bin/tillmesh" doctor --data-dir "$data" --before-upgrade ||
            { on_system systemctl start tillmesh-till.service; die "the database is as it was, and so is the version"; }
    elif [ "$(tables "$newer")" -gt "$(tables "$home/releases/$back")" ]; then
        # An older program does not open a database that a newer one has brought up to date: it says so and changes nothing.
        say "$back knows fewer tables: if it refuses the database, see docs/operations/kiosk.md, Going back"
    fi
    switch_to "$back"
    on_system systemctl start tillmesh-till.service
    exit 0
fi

if [ -z "$root" ]; then
    packages=(python3 python3-venv libzbar0 ca-certificates)
    [ "$screen" = no ] || packages+=(chromium cage fonts-liberation)
    DEBIAN_FRONTEND=noninteractive apt-get -qq update
    DEBIAN_FRONTEND=noninteractive apt-get -qq install -y --no-install-recommends "${packages[@]}" >/dev/null
    getent passwd tillmesh >/dev/null || useradd --system --home-dir /var/lib/tillmesh --shell /usr/sbin/nologin tillmesh
    getent passwd tillscreen >/dev/null || useradd --system --create-home --shell /usr/sbin/nologin tillscreen
fi

version=$(sed -nE 's/^version = "(.*)"/\1/p' "$checkout/pyproject.toml")
mark=$(cd "$checkout" && git rev-parse --short HEAD 2>/dev/null || date +%Y%m%d%H%M%S)
release=$version-$mark
place=$home/releases/$release
if [ ! -e "$place/complete" ]; then
    say "preparing $release"
    rm -rf "$place"
    mkdir -p "$place"
    for part in src requirements docs pyproject.toml README.md LICENSE NOTICE; do cp -a "$checkout/$part" "$place/"; done
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

mkdir -p "$root/etc/tillmesh" "$root/etc/systemd/system" "$root/etc/udev/rules.d"
[ -e "$root/etc/tillmesh/till.env" ] || install -m 0644 "$checkout/deploy/till/till.env" "$root/etc/tillmesh/till.env"
install -m 0644 "$checkout/deploy/till/tillmesh-till.service" "$root/etc/systemd/system/"
install -m 0644 "$checkout/deploy/till/70-tillmesh.rules" "$root/etc/udev/rules.d/"
[ "$screen" = no ] || install -m 0644 "$checkout/deploy/till/tillmesh-kiosk.service" "$root/etc/systemd/system/"

on_system systemctl stop tillmesh-till.service 2>/dev/null || true
switch_to "$release"
if [ -z "$root" ]; then
    on_system systemctl daemon-reload
    on_system udevadm control --reload
    systemctl enable --quiet tillmesh-till.service
    on_system systemctl start tillmesh-till.service
    if [ "$screen" = yes ]; then
        systemctl set-default --quiet graphical.target
        systemctl enable --quiet tillmesh-kiosk.service
        on_system systemctl start tillmesh-kiosk.service
    fi
    for old in $(find "$home/releases" -mindepth 1 -maxdepth 1 -type d -printf '%T@ %f\n' | sort -rn | sed 1,3d | cut -d' ' -f2); do
        case $old in "$release" | "$(basename "$(readlink "$home/previous" 2>/dev/null)")") ;; *) rm -rf "${home:?}/releases/$old" ;; esac
    done
fi
say "done; the till answers at http://127.0.0.1:8081"
