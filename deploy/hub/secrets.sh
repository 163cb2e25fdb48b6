#!/usr/bin/env bash
# Makes the passwords of the servers, once, in the folder secrets beside this file; git ignores it.
set -euo pipefail
cd "$(dirname "$0")"
umask 077
mkdir -p secrets
fresh() { od -An -N24 -tx1 /dev/urandom | tr -d ' \n'; }
[ -s secrets/postgres_password ] || fresh >secrets/postgres_password
[ -s secrets/clickhouse_password ] || fresh >secrets/clickhouse_password
[ -s secrets/admin_password ] || fresh >secrets/admin_password
[ -s secrets/office_secret ] || fresh >secrets/office_secret
printf '*:*:*:tillmesh:%s\n' "$(cat secrets/postgres_password)" >secrets/pgpass
# The containers' user reads its own; PostgreSQL's client wants the file closed to everybody else.
if [ "$(id -u)" -eq 0 ]; then chown 10001 secrets/pgpass secrets/office_secret; fi
chmod 0644 secrets/clickhouse_password
echo "passwords are in $PWD/secrets"
