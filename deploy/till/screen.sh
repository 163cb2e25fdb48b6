#!/usr/bin/env bash
# What is on the display: Chromium with the page of the till, again at once when it is closed or ends. tillmesh-kiosk.service
# runs it in cage, as the user tillscreen. SCREEN_ARGS in /etc/tillmesh/kiosk.env: more words for Chromium.
set -u

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
profile=$HOME/profile
early=0 # how often in a row it ended within seconds
while :; do
    began=$SECONDS
    # shellcheck disable=SC2086 # several words
    /usr/bin/chromium --kiosk --user-data-dir="$profile" --disk-cache-size=33554432 \
        --ozone-platform-hint=auto --password-store=basic --hide-crash-restore-bubble --noerrdialogs \
        --no-first-run --no-default-browser-check --disable-background-networking --disable-component-update --disable-sync \
        --disable-features=Translate --disable-pinch --overscroll-history-navigation=0 --autoplay-policy=no-user-gesture-required \
        ${SCREEN_ARGS:-} "file://$here/waiting.html#${TILL_URL:-http://127.0.0.1:8081}"
    if [ $((SECONDS - began)) -lt 10 ]; then early=$((early + 1)); else early=0; fi
    if [ "$early" -ge 5 ]; then # a power cut may leave a profile that no Chromium starts with; nothing of the shop is in it
        echo "screen: Chromium ended $early times within seconds; starting with a fresh profile" >&2
        rm -rf "$profile"
        early=0
    fi
    sleep 0.5
done
