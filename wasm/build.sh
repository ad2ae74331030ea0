#!/bin/bash
# build.sh: cairn.wasm (the same core as native, slim) and the npm package, into wasm/dist.
#   wasm/build.sh          both, and SIZE.md's figures are compared
#   wasm/build.sh size     the same, but writes SIZE.md anew
# Needs emcc, wabt (tools/setup.sh) and npm ci. The events and their envelope are walked by hand
# (sdk/model), so there is no nanopb in it.
set -euo pipefail
cd "$(dirname "$0")"
root=$(cd .. && pwd)
out=$root/build/wasm
mkdir -p dist "$out"

export NODE_PATH=/usr/share/nodejs # Debian's emcc looks for acorn where only Debian's node would
version=$(sed -n 's/.*"version": "\(.*\)",/\1/p' package.json | head -1)

sources() {
    # format.c is printf, sync_server.c the other side of the wire with nanopb: not for the core
    find "$root/sdk/base" "$root/sdk/model" "$root/sdk/client" -name '*.c' \
        ! -name '*_fuzz.c' ! -name format.c ! -name sync_server.c | sort
    echo "$root/wasm/block.c" "$root/wasm/entry.c"
}

need_the_client() {
    [ -f "$root/sdk/client/client.c" ] && return
    echo "wasm: sdk/client is not there: it is what cairn.wasm is made of" >&2
    exit 1
}

compile() {
    # shellcheck disable=SC2046
    emcc -Oz -flto -std=c11 -DNDEBUG -DCAIRN_VERSION="\"$version\"" \
        -Werror=implicit-function-declaration -fno-math-errno \
        -I"$root/sdk/include" -I"$root/sdk" -I"$root" $(sources) \
        --no-entry -sSTANDALONE_WASM -sMALLOC=emmalloc -sFILESYSTEM=0 -sALLOW_MEMORY_GROWTH=0 \
        -sINITIAL_MEMORY="$MEMORY_BYTES" -sTOTAL_STACK=65536 -Wl,--stack-first \
        -sERROR_ON_UNDEFINED_SYMBOLS=0 -sWARN_ON_UNDEFINED_SYMBOLS=0 -sEXPORTED_FUNCTIONS= \
        -o "$out/cairn.wasm"
}

MEMORY_BYTES=$((4 * 1024 * 1024))

# Nothing newer than WebAssembly 1.0: mini-programs and old phones run it too.
check() {
    wasm-validate --disable-mutable-globals --disable-saturating-float-to-int \
        --disable-sign-extension --disable-simd --disable-multi-value --disable-bulk-memory \
        --disable-reference-types "$out/cairn.wasm"
}

package() {
    cp "$out/cairn.wasm" dist/cairn.wasm
    npx --no-install esbuild src/index.ts --bundle --format=esm --target=es2020 \
        --minify-syntax --minify-whitespace --sourcemap --log-level=warning --outfile=dist/index.js
    npx --no-install esbuild src/testing.ts --bundle --format=esm --target=es2020 \
        --log-level=warning --outfile="$out/testing.mjs"
    npx --no-install tsc
    # what index.d.ts does not name is nobody else's
    find dist -name '*.d.ts' ! -name index.d.ts ! -name types.d.ts -delete
}

need_the_client
compile
check
package
node size.mjs "${1:-check}"
