#!/bin/bash
# build.sh: builds what is named, in order, each through its CMake preset or npm script.
#   dev       everything native, ASan + UBSan, with the tests
#   release   the programs people run (and what the crash tests put under them)
#   fuzz      the libFuzzer targets
#   web       the WASM core, the npm package, the example shop, the console
# Options of the configure step come from CAIRN_CMAKE_OPTIONS.
set -euo pipefail
cd "$(dirname "$0")/.."

jobs=$(nproc)

native() { # preset, target
    # shellcheck disable=SC2086
    cmake --preset "$1" ${CAIRN_CMAKE_OPTIONS:-} >/dev/null
    cmake --build --preset "$1" --target "$2" --parallel "$jobs" -- --quiet
}

npm_build() { # folder
    [ -f "$1/package.json" ] || return 0
    echo "build: $1"
    (cd "$1" && npm run --silent build)
}

for part in "$@"; do
    echo "build: $part"
    case $part in
    dev) native dev all ;;
    release) native release programs ;;
    fuzz) native fuzz fuzz_targets ;;
    web)
        npm_build wasm
        npm_build examples/web
        npm_build console
        ;;
    *)
        echo "build: unknown part \"$part\": dev, release, fuzz or web" >&2
        exit 2
        ;;
    esac
done
