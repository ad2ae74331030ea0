#!/bin/bash
# load.sh [ADMIN]: put the shop's definitions, each after what it needs.
set -euo pipefail
cd "$(dirname "$0")"
admin=${1:-http://127.0.0.1:8081}

for file in audiences/regulars audiences/first-timers audiences/hesitant decisions/settings \
            popups/first-order popups/cart-reminder slots/home-hero experiments/product-page; do
    curl --fail-with-body -sS -o /dev/null -X PUT "$admin/v1/$file" \
        -H 'content-type: application/json' --data-binary "@$file.json"
done
