#!/bin/bash
# demo_data.sh: imports orders into the demo's edge and asks two questions. Uses the demo that is
# running, else an edge of its own on free ports; the data stays in ./var/demo for the next demo.
#
# For tests: CAIRN_DEMO_BIN (programs), CAIRN_DEMO_DIR (data), CAIRN_DEMO_SET (cdnow or made).
set -euo pipefail
cd "$(dirname "$0")/.."

bin=${CAIRN_DEMO_BIN:-build/release/bin}
data=${CAIRN_DEMO_DIR:-var/demo}
config=examples/web/edge.yaml
key=$(sed -n 's/^ *write_key: *//p' $config)
cdnow=../shared/data/cdnow/cdnowElog.csv
start_seconds_max=20

set_of() {
    if [ -n "${CAIRN_DEMO_SET:-}" ]; then
        echo "$CAIRN_DEMO_SET"
    elif [ -f $cdnow ]; then
        echo cdnow
    else
        echo made
    fi
}

free_port() {
    python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0));
print(s.getsockname()[1])'
}

own_edge() {
    public=127.0.0.1:$(free_port)
    admin=127.0.0.1:$(free_port)
    CAIRN_DATA_DIR=$data CAIRN_PUBLIC_LISTEN=$public CAIRN_ADMIN_LISTEN=$admin \
        "$bin/cairn-edge" --config $config 2> "$data.log" &
    edge=$!
    trap 'kill $edge 2>/dev/null; wait $edge 2>/dev/null || true' EXIT
    local tries=$((start_seconds_max * 10))
    until curl -fs -o /dev/null "http://$admin/readyz"; do
        tries=$((tries - 1))
        if [ $tries -le 0 ] || ! kill -0 $edge 2>/dev/null; then
            echo "demo_data: the edge did not start:" >&2
            cat "$data.log" >&2
            exit 1
        fi
        sleep 0.1
    done
}

# The import is answered when it is in the log; the answers follow a moment later.
wait_until_folded() {
    local tries=600 log folded
    while [ $tries -gt 0 ]; do
        read -r log folded < <(curl -fs "http://$admin/metrics" | awk '
            $1 == "cairn_log_position_bytes" { log_end = $2 }
            $1 == "cairn_fold_position_bytes" { folded = $2 }
            END { print log_end, folded }')
        [ "$log" = "$folded" ] && return
        tries=$((tries - 1))
        sleep 0.1
    done
    echo "demo_data: the edge has not folded the import after 60 s" >&2
    exit 1
}

ask() {
    "$bin/cairn" analyze - --edge "http://$admin"
}

mkdir -p "$data"
case $(set_of) in
cdnow)
    file=$cdnow
    from=1997-01-01 to=1998-06-30
    ;;
made)
    file=$data.orders.csv
    python3 tools/make_orders.py "$file"
    from=2026-01-01 to=2026-10-31
    ;;
esac

public=$(sed -n 's/^ *public_listen: *//p' $config)
admin=$(sed -n 's/^ *admin_listen: *//p' $config)
if [ -n "${CAIRN_DEMO_DIR:-}" ] || ! curl -fs -o /dev/null "http://$admin/readyz"; then
    own_edge
fi

"$bin/cairn" import "$file" --edge "http://$public" --key "$key" \
    --mapping examples/orders/mapping.yaml
wait_until_folded

printf '\nOrders, customers and sales per month\n'
ask <<JSON
{"model": "event", "from": "$from", "to": "$to", "timezone": "UTC", "unit": "month",
 "series": [{"name": "orders", "on": "purchase", "measure": "count"},
            {"name": "customers", "on": "purchase", "measure": "persons"},
            {"name": "sales", "on": "purchase", "measure": {"sum": "event.amount"}}]}
JSON
printf '\nCustomers with a second and a third order within 90 days\n'
ask <<JSON
{"model": "funnel", "from": "$from", "to": "$to", "timezone": "UTC", "window": "90d",
 "steps": ["purchase", "purchase", "purchase"]}
JSON
