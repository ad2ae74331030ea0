#!/bin/bash
# bench.sh: measures against the peers and prints one table (bench/README.md). Arguments go on to
# bench/bench.py: --only accept, --events 1000000, ...
set -euo pipefail
cd "$(dirname "$0")/.."
echo "bench: $(nproc) cores, $(sed -n 's/^model name[[:space:]]*: //p' /proc/cpuinfo | head -1)" >&2
exec python3 -B bench/bench.py "$@"
