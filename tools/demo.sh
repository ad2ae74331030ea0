#!/bin/bash
# demo.sh: the edge with the example shop, its data in ./var/demo. Ctrl-C drains and exits 0.
set -euo pipefail
cd "$(dirname "$0")/.."

config=examples/web/edge.yaml
public=$(sed -n 's/^ *public_listen: *//p' $config)
admin=$(sed -n 's/^ *admin_listen: *//p' $config)
start_seconds_max=20

mkdir -p var/demo

announce() {
    local tries=$((start_seconds_max * 10))
    until curl -fs -o /dev/null "http://$admin/readyz"; do
        tries=$((tries - 1))
        [ $tries -gt 0 ] || return 0 # the edge has said on its own why it did not start
        sleep 0.1
    done
    # whose definitions the shop believes; a real shop has it in its build
    curl -fsS -o examples/web/dist/cairn-key.json "http://$admin/v1/bundle/key" ||
        echo "the shop has no key: it decides nothing" >&2
    examples/web/definitions/load.sh "http://$admin" ||
        echo "the shop's definitions were not taken" >&2
    cat <<TEXT

  Shop      http://$public/
  Console   http://$admin/console/
  Data      $PWD/var/demo

  Ctrl-C drains and stops.

TEXT
}

announce &
exec python3 tools/run_foreground.py build/release/bin/cairn-edge --config $config
