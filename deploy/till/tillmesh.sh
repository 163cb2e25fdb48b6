#!/bin/sh
# The program of this machine's till for whoever looks after it: tillmesh doctor --data-dir /var/lib/tillmesh. As the user of the till,
# since it would not read files of root's, and with the key of the database if that is sealed. Installed as /usr/local/sbin/tillmesh.
set -eu
program=/opt/tillmesh/current/.venv/bin/tillmesh
sealed=/etc/tillmesh/database.cred
[ "$(id -u)" -eq 0 ] || { echo "tillmesh: run this as root" >&2; exit 1; }
as_till() { setpriv --reuid tillmesh --regid tillmesh --init-groups --no-new-privs "$@"; }
if [ -e "$sealed" ]; then # opened as systemd does it for the unit: into memory, for as long as the program runs
    umask 077
    CREDENTIALS_DIRECTORY=$(mktemp -d /run/tillmesh.XXXXXX)
    export CREDENTIALS_DIRECTORY
    trap 'rm -rf "$CREDENTIALS_DIRECTORY"' EXIT
    trap 'exit 130' INT TERM HUP
    systemd-creds decrypt --name=tillmesh-database-key "$sealed" "$CREDENTIALS_DIRECTORY/tillmesh-database-key"
    chown -R tillmesh:tillmesh "$CREDENTIALS_DIRECTORY"
    as_till "$program" "$@"
else
    as_till "$program" "$@"
fi
