#!/usr/bin/env bash
# The display of this machine for screen.sh: cage draws with OpenGL, or, where the machine has none (no driver for its graphics chip, or
# a virtual machine), with the processor. tillmesh-kiosk.service runs it. WLR_RENDERER in /etc/tillmesh/kiosk.env decides once and for all.
set -u

screen=$(dirname "${BASH_SOURCE[0]}")/screen.sh
cage=${SCREEN_CAGE:-/usr/bin/cage}
[ -z "${WLR_RENDERER:-}" ] || exec "$cage" -d -s -- "$screen"
"$cage" -d -s -- "$screen" && exit
if [ "$SECONDS" -ge 60 ]; then exit 1; fi # it had a display: the next start of the service tries the same
echo "screen: no OpenGL on this display; drawing with the processor" >&2
WLR_RENDERER=pixman exec "$cage" -d -s -- "$screen"
