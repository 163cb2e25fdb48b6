#!/usr/bin/env bash
# What is on the display: Chromium with the page of the till, again at once when it is closed or ends. tillmesh-kiosk.service
# runs it in cage, as the user tillscreen. SCREEN_ARGS in /etc/tillmesh/kiosk.env: more words for Chromium.
set -u

url=${TILL_URL:-http://127.0.0.1:8081}
page=$HOME/page # it begins with the waiting page, which looks for up.js beside it
profile=$HOME/profile
LOADS_S=${SCREEN_LOADS_S:-60}       # how long Chromium and the first page may take, once the till answers
PATIENCE_S=${SCREEN_PATIENCE_S:-30} # how long a page may be stuck
CRASHED_S=${SCREEN_CRASHED_S:-6}    # how long a page that was there may be silent without a connection
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
silence() { # for how many seconds no page has told the till that it lives; "never"; "old": a till of before it was told; nothing: no answer
    local line said=
    exec 4<>"/dev/tcp/${place%:*}/$port" || return
    printf 'GET /api/v1/screen HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n' "$place" >&4
    while IFS= read -r -t 2 line <&4 || [ -n "$line" ]; do
        case $line in
            'HTTP/1.1 404'*) said=old ;;
            '{"silent_s":null}') said=never ;;
            '{"silent_s":'*) line=${line#*:} && said=${line%\}} ;;
        esac
        line=
    done
    exec 4>&-
    echo "$said"
} 2>/dev/null
watch() { # PID of Chromium, how long its page may load: from the waiting page to the till; then, does its page live? A crashed or stuck one can't say so.
    local there=no began=$SECONDS quiet=0 load=$2 patience said
    until answers; do sleep 0.5; done
    echo 'go();' >"$page/up.js"
    while sleep 1; do
        said=$(silence)
        patience=$load
        if [ -z "$said" ]; then
            [ "$there" = no ] || load=$PATIENCE_S
            there=no quiet=0 # it is the till that is away, and the page waits for it
        elif [[ $said =~ ^[0-9]+$ ]] && [ "$said" -le 3 ] && [ "$said" -lt $((SECONDS - began - 1)) ]; then
            there=yes quiet=0 # since this Chromium began
            : >"$page/there"
        elif [ "$there" = no ] && talks; then # still loading; or nobody asks more of an older till
            quiet=0
            [ "$said" != old ] || { there=old; : >"$page/there"; }
        elif [ "$there" != old ]; then
            quiet=$((quiet + 1))
        fi
        if [ "$there" = yes ]; then # a crashed page has no connections, a stuck one keeps them
            if talks; then patience=$PATIENCE_S; else patience=$CRASHED_S; fi
        fi
        if [ "$quiet" -ge "$patience" ]; then
            echo "screen: the till answers, and for $quiet s no page says that it lives; starting Chromium anew" >&2
            [ "$there" = yes ] || : >"$page/blank"
            kill "$1"
            sleep 5
            kill -9 "$1" # the rest of it follows
            return
        fi
    done
}

fresh() { # A power cut may leave a profile with which Chromium ends at once, or shows a white page for ever. "but-kept": all but
    # what pages keep, which is their look and what they have not told the till yet; it is the last to be to blame.
    local kept="Default/Local Storage"
    [ "$1" = but-kept ] || rm -rf "$HOME/kept"
    if [ "$1" = but-kept ] && [ -d "$profile/$kept" ]; then rm -rf "$HOME/kept" && mv "$profile/$kept" "$HOME/kept"; fi
    rm -rf "$profile"
    if [ -d "$HOME/kept" ]; then mkdir -p "$profile/Default" && mv "$HOME/kept" "$profile/$kept"; fi
}

# Chromium takes its lock away when it ends in peace; what is kept aside was so when the power went once more.
if [ -L "$profile/SingletonLock" ] || [ -d "$HOME/kept" ]; then fresh but-kept; fi

late=1  # in a row no page came: on a slow machine the next one has longer
early=0 # how often in a row it ended within seconds
while :; do
    rm -f "$page/up.js" "$page/there" "$page/blank"
    began=$SECONDS
    # shellcheck disable=SC2086 # several words
    "${SCREEN_BROWSER:-/usr/bin/chromium}" --kiosk --user-data-dir="$profile" --disk-cache-size=33554432 \
        --ozone-platform=wayland --password-store=basic --hide-crash-restore-bubble --noerrdialogs \
        --disable-background-timer-throttling --disable-backgrounding-occluded-windows --disable-renderer-backgrounding \
        --no-first-run --no-default-browser-check --disable-background-networking --disable-component-update --disable-sync \
        --disable-features=Translate --disable-pinch --overscroll-history-navigation=0 --autoplay-policy=no-user-gesture-required \
        ${SCREEN_ARGS:-} "file://$page/waiting.html#$url" &
    browser=$!
    watch "$browser" $((LOADS_S * late)) &
    watcher=$!
    wait "$browser"
    kill "$watcher"
    wait "$watcher" 2>/dev/null
    if [ -e "$page/there" ]; then
        late=1
    elif [ -e "$page/blank" ]; then # and not closed while the till was away, when what pages keep is all there is of a sale
        if [ "$late" -eq 1 ]; then fresh but-kept; else fresh all; fi
        if [ "$late" -lt 10 ]; then late=$((late + 1)); fi
    fi
    if [ $((SECONDS - began)) -lt 10 ]; then early=$((early + 1)); else early=0; fi
    if [ "$early" -ge 5 ]; then
        echo "screen: Chromium ended $early times within seconds; starting with a fresh profile" >&2
        fresh all
        early=0
    fi
    sleep 0.5
done
