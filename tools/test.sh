#!/bin/bash
# test.sh: builds all and runs every test in one ctest run, so that it ends with ctest's totals.
#   tools/test.sh         10 s of fuzzing per target, without the tests labelled "long"
#   tools/test.sh long    600 s of fuzzing per target, and the long tests too
set -euo pipefail
cd "$(dirname "$0")/.."

fuzz_seconds=10
which_tests=(--label-exclude long)
if [ "${1:-}" = long ]; then
    fuzz_seconds=600
    which_tests=()
fi

CAIRN_CMAKE_OPTIONS="-DCAIRN_FUZZ_SECONDS=$fuzz_seconds" tools/build.sh dev
tools/build.sh release fuzz web
exec ctest --test-dir build/dev --parallel "$(nproc)" --output-on-failure "${which_tests[@]}"
