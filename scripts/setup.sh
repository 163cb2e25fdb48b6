#!/usr/bin/env bash
# Makes this checkout ready: Debian packages that are missing, .venv with hash-checked requirements, tillmesh itself.
#
#   scripts/setup.sh terminal    what a till needs
#   scripts/setup.sh hub         and what head office needs
#   scripts/setup.sh stack       and the servers of a production head office: Envoy, PostgreSQL, Java, Kafka's jars
#   scripts/setup.sh learn       what a till needs, and what making models needs
#   scripts/setup.sh test        and what the checks and tests need: a browser, Node for type checks, fault tools
#
# Does nothing, quickly, when everything is there already.
set -euo pipefail

role=${1:-terminal}
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$root"

say() { printf 'setup: %s\n' "$*" >&2; }
die() { say "$*"; exit 1; }
have() { command -v "$1" >/dev/null 2>&1; }

case $role in
    terminal) lists=(requirements/terminal.txt requirements/ai.txt) ;;
    hub) lists=(requirements/terminal.txt requirements/ai.txt requirements/hub.txt) ;;
    stack) lists=(requirements/terminal.txt requirements/ai.txt requirements/hub.txt requirements/stack.txt) ;;
    learn) lists=(requirements/terminal.txt requirements/ai.txt requirements/learn.txt) ;;
    test)
        lists=(requirements/terminal.txt requirements/ai.txt requirements/hub.txt requirements/stack.txt requirements/dev.txt)
        ;;
    *) die "unknown role '$role'; the roles are terminal, hub, stack, learn and test" ;;
esac

fingerprint() { # of everything that decides what .venv holds
    { pwd; cat scripts/setup.sh requirements/*.txt src/tillmesh/hub/stack/jars.txt pyproject.toml package-lock.json; } | sha256sum | cut -d' ' -f1
}
stamp=$(fingerprint)
ready() { [ "$(cat ".venv/.ready-$1" 2>/dev/null)" = "$stamp" ] && .venv/bin/python -c '' 2>/dev/null; }
enough() { # a richer role holds what a poorer one needs
    case $role in
        test) ready test ;;
        stack) ready stack || ready test ;;
        learn) ready learn ;;
        hub) ready hub || ready stack || ready test ;;
        terminal) ready terminal || ready hub || ready stack || ready test ;;
    esac
}
if enough; then exit 0; fi

exec 9<"$root/scripts/setup.sh" # two makes at once: the second waits, then finds everything there
if have flock; then flock 9; fi
if enough; then exit 0; fi

# ---------------------------------------------------------------- Debian packages
as_root=()
if [ "$(id -u)" -ne 0 ]; then as_root=(sudo); fi

apt_updated=no
install_packages() { # PACKAGE...
    if ! have apt-get; then
        die "this is no Debian or Ubuntu; please install the equivalents of: $* - then run the same command again"
    fi
    if [ "${#as_root[@]}" -gt 0 ] && ! have sudo; then
        die "some packages are missing and there is no sudo; as root run: apt-get install $* - then the same command again"
    fi
    say "installing $*"
    local apt=("${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -qq -o Dpkg::Use-Pty=0)
    if [ "$apt_updated" = no ]; then "${apt[@]}" update || say "the package lists could not be refreshed; trying with the old ones"; fi
    apt_updated=yes
    "${apt[@]}" install -y --no-install-recommends "$@" >/dev/null || die "apt-get could not install: $*"
}

is_debian() { (. /etc/os-release 2>/dev/null && [ "${ID:-}" = debian ]); }

missing=()
if [ "$role" = test ]; then
    have git || missing+=(git)
    have ip || missing+=(iproute2) # network namespaces for the tests of bad networks
    have strace || missing+=(strace)
    have faketime || missing+=(faketime)
    have node || missing+=(nodejs)
    have npm || missing+=(npm)
    # Playwright's own Node is linked against it; Debian's chromium and nodejs bring it along, Ubuntu's do not.
    /sbin/ldconfig -p 2>/dev/null | grep -q 'libatomic\.so\.1' || missing+=(libatomic1)
    if is_debian && ! have chromium; then missing+=(chromium fonts-liberation); fi
fi

java_package() { # Kafka wants Java 17 or newer: the default is older in some releases, and 17 is gone from the newest
    if is_debian && [ "$(. /etc/os-release && echo "${VERSION_ID:-12}")" -ge 13 ]; then
        echo default-jre-headless
    else
        echo openjdk-17-jre-headless
    fi
}

# The servers of a production head office. Debian's package would make and start a cluster of its own: ours are made by
# whoever uses them, so the package is told not to, unless somebody has it already.
if [ "$role" = stack ] || [ "$role" = test ]; then
    have java || missing+=("$(java_package)")
    if ! compgen -G '/usr/lib/postgresql/*/bin/postgres' >/dev/null && ! have postgres; then
        have pg_createcluster || install_packages postgresql-common
        "${as_root[@]}" sed -i 's/^#create_main_cluster .*/create_main_cluster = false/' \
            /etc/postgresql-common/createcluster.conf
        missing+=(postgresql)
    fi
fi

# A second opinion on bar codes from the camera: they are read without it too, a little less well.
if have apt-get && ! /sbin/ldconfig -p 2>/dev/null | grep -q 'libzbar\.so\.0'; then
    (install_packages libzbar0) || say "going on without libzbar0"
fi

# ---------------------------------------------------------------- Python
find_python() { # prints the first Python that is new enough and can make environments
    local name
    for name in ${PYTHON:-} python3 python3.13 python3.12 python3.11; do
        if "$name" -c 'import sys, ensurepip, venv; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; then
            echo "$name"
            return
        fi
    done
    return 1
}
if ! python=$(find_python); then missing+=(python3 python3-venv); fi
if [ "${#missing[@]}" -gt 0 ]; then install_packages "${missing[@]}"; fi
if ! python=$(find_python); then # older releases carry a newer Python beside their own
    install_packages python3.11 python3.11-venv
    python=$(find_python) || die "tillmesh needs Python 3.11 or newer; set PYTHON=/path/to/python3.11 and run the same command again"
fi

if ! .venv/bin/python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
    say "making .venv with $("$python" --version)"
    rm -rf .venv
    "$python" -m venv .venv
fi

# pip fetches uv, uv fetches the rest: the same hashes, a tenth of the time.
export PIP_DISABLE_PIP_VERSION_CHECK=1 UV_NO_PROGRESS=1 UV_SYSTEM_CERTS=1
.venv/bin/python -m pip install --quiet --require-hashes -r requirements/build.txt
args=(--require-hashes)
for list in "${lists[@]}"; do args+=(-r "$list"); done
say "installing the Python packages of: ${lists[*]}"
.venv/bin/uv pip install --quiet --python .venv/bin/python "${args[@]}" ||
    { say "uv did not get through; trying with pip"; .venv/bin/python -m pip install --quiet "${args[@]}"; }
.venv/bin/python -m pip install --quiet --no-deps --no-build-isolation -e .

# ---------------------------------------------------------------- Kafka
if [ "$role" = stack ] || [ "$role" = test ]; then
    say "fetching Kafka's jars, about 45 MB, into a cache"
    .venv/bin/python -m tillmesh.hub.stack.jars >/dev/null
fi

# ---------------------------------------------------------------- Prometheus, to try the alerts that ship
if [ "$role" = test ] && ! have promtool; then
    home=${TILLMESH_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}}/tillmesh/prometheus
    if [ ! -x "$home/usr/bin/promtool" ]; then
        # Unpacked, not installed: Debian's package would start a server of its own.
        say "fetching Prometheus, about 20 MB, into a cache"
        mkdir -p "$home"
        fetched=$(mktemp -d)
        fetch_prometheus() { # promtool is a package of its own from Debian 13 on
            local packages=(prometheus)
            if apt-cache show promtool >/dev/null 2>&1; then packages+=(promtool); fi
            (cd "$fetched" && apt-get -qq download "${packages[@]}") 2>/dev/null
        }
        fetch_prometheus || { "${as_root[@]}" apt-get -qq update && fetch_prometheus; } ||
            die "Debian's packages of Prometheus could not be fetched; run the same command again, or install prometheus yourself"
        for package in "$fetched"/*.deb; do dpkg -x "$package" "$home"; done
        rm -rf "$fetched"
    fi
fi

# ---------------------------------------------------------------- Type checks and journeys of the UI
if [ "$role" = test ]; then
    say "installing the type checker of the UI"
    npm ci --silent --ignore-scripts --no-audit --no-fund
    if ! have chromium && ! have google-chrome; then
        say "installing a browser for the journeys"
        "${as_root[@]}" .venv/bin/playwright install-deps chromium
        .venv/bin/playwright install chromium ||
            die "no browser could be fetched; install Chromium or Google Chrome yourself, then run the same command again"
    fi
fi

echo "$stamp" >".venv/.ready-$role"
say "ready"
