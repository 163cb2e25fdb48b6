#!/usr/bin/env bash
# What is on the display: Chromium with the page of the till, again at once when it is closed or ends. tillmesh-kiosk.service
# runs it in cage, as the user tillscreen. SCREEN_ARGS in /etc/tillmesh/kiosk.env: more words for Chromium.
set -u

url=${TILL_URL:-http://127.0.0.1:8081}
page=$HOME/page # it begins with the waiting page, which looks for up.js beside it
profile=$HOME/profile
mkdir -p "$page"
cp "$(dirname "${BASH_SOURCE[0]}")/waiting.html" "$page/"

place=${url#*://}
place=${place%%/*}
port=${place##*:}
[ "$port" != "$place" ] || port=80
answers() { (exec 3<>"/dev/tcp/${place%:*}/$port") 2>/dev/null; }
talks() { # a page of the till asks it something, or has just done so
    awk -v port=":$(printf %04X "$port")$" -v uid="$UID" '$3 ~ port && $4 == "01" && $8 == uid { found = 1 } END { exit !found }' \
        /proc/net/tcp /proc/net/tcp6
}
watch() { # PID of Chromium: from the waiting page to the till, and whenever it comes back: is its page there again?
    local away=yes seconds=0
    until answers; do sleep 0.5; done
    echo 'go();' >"$page/up.js"
    while sleep 1; do
        if ! answers; then
            away=yes seconds=0
        elif [ "$away" = yes ]; then
            if talks; then away=no; else seconds=$((seconds + 1)); fi
            if [ "$seconds" -ge 30 ]; then
                echo "screen: the till answers again and nothing asks it; starting Chromium anew" >&2
                kill "$1"
                return
            fi
        fi
    done
}

early=0 # how often in a row it ended within seconds
while :; do
    rm -f "$page/up.js"
    began=$SECONDS
    # shellcheck disable=SC2086 # several words
    "${SCREEN_BROWSER:-/usr/bin/chromium}" --kiosk --user-data-dir="$profile" --disk-cache-size=33554432 \
        --ozone-platform=wayland --password-store=basic --hide-crash-restore-bubble --noerrdialogs \
        --no-first-run --no-default-browser-check --disable-background-networking --disable-component-update --disable-sync \
        --disable-features=Translate --disable-pinch --overscroll-history-navigation=0 --autoplay-policy=no-user-gesture-required \
        ${SCREEN_ARGS:-} "file://$page/waiting.html#$url" &
    browser=$!
    watch "$browser" &
    watcher=$!
    wait "$browser"
    kill "$watcher"
    wait "$watcher" 2>/dev/null
    if [ $((SECONDS - began)) -lt 10 ]; then early=$((early + 1)); else early=0; fi
    if [ "$early" -ge 5 ]; then # a power cut may leave a profile that no Chromium starts with; nothing of the shop is in it
        echo "screen: Chromium ended $early times within seconds; starting with a fresh profile" >&2
        rm -rf "$profile"
        early=0
    fi
    sleep 0.5
done
