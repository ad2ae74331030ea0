#!/bin/bash
# build.sh: cairn.wasm (the core as native, slim), cairn-full.wasm (with SQLite),
# cairn-script.wasm (scripts) and the npm package, into wasm/dist.
#   wasm/build.sh          all, and SIZE.md's figures are compared
#   wasm/build.sh size     the same, but writes SIZE.md anew
#   wasm/build.sh bench    only build/wasm/bundle_bench.wasm, for bench/bundle.mjs
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
    # format.c is printf, sync_server.c the other side of the wire with nanopb; what the server
    # alone does with bundles (write, sign, ...) is not for the core either
    for room in base model rules decide bundle local client; do
        [ ! -d "$root/sdk/$room" ] || find "$root/sdk/$room" -name '*.c'
    done | grep -v -e '_fuzz\.c$' -e '/base/format\.c$' -e '/model/sync_server\.c$' \
        -e '/bundle/write\.c$' -e '/bundle/fact_table\.c$' -e '/bundle/zones\.c$' \
        -e '/bundle/sign\.c$' -e '/bundle/read\.c$' | sort
    printf '%s\n' "$root/wasm/block.c" "$root/wasm/entry.c"
}

# What a page cannot make use of is left out: texts of faults (base/fault.h), files of zoneinfo.
CORE_OPTIONS=(-DCAIRN_QUIET_FAULTS -DCAIRN_NO_ZONE_FILES)

# Of BearSSL what checks a signature and hashes. Where the time of a new bundle goes is compiled
# for speed (:-O2): 0.6 MB is verified in half the time for 250 bytes more. P-256 is the only curve:
# what BearSSL also knows of others is replaced by it, so that their numbers are left out.
BEARSSL=$root/third_party/bearssl
BEARSSL_FILES="hash/sha2small:-O2 codec/dec32be codec/enc32be codec/ccopy:-O2
    ec/ec_prime_i31 ec/ecdsa_i31_vrfy_raw ec/ecdsa_i31_bits ec/ec_secp256r1
    int/i31_add:-O2 int/i31_sub:-O2 int/i31_montmul:-O2 int/i31_decmod int/i31_decode
    int/i31_encode int/i31_fmont int/i31_iszero int/i31_modpow int/i31_muladd int/i31_ninv31
    int/i31_rshift int/i31_tmont int/i31_bitlen int/i31_reduce int/i32_div32"
compile_bundle() {
    local file level
    mkdir -p "$out/bundle" "$out/include"
    rm -f "$out"/bundle/*.o
    ln -sfn "$BEARSSL/inc" "$out/include/bearssl" # as Debian's libbearssl-dev has it
    for file in $BEARSSL_FILES; do
        level=${file#*:} file=${file%:*}
        [ "$level" != "$file" ] || level=-Oz
        emcc "$level" -flto -std=c11 -DNDEBUG -w -I"$BEARSSL/inc" -I"$BEARSSL/src" \
            -Dbr_secp384r1=br_secp256r1 -Dbr_secp521r1=br_secp256r1 \
            -c "$BEARSSL/src/$file.c" -o "$out/bundle/$(basename "$file").o"
    done
    # no part of link-time optimisation, which would make a call of memcpy out of its loop
    emcc -Oz -fno-builtin -std=c11 -c "$root/wasm/copy.c" -o "$out/bundle/copy.o"
    emcc -O2 -flto -std=c11 -DNDEBUG "${CORE_OPTIONS[@]}" -I"$root/sdk/include" -I"$root/sdk" \
        -c "$root/sdk/bundle/read.c" -o "$out/bundle/read.o"
}

need_the_client() {
    [ -f "$root/sdk/client/client.c" ] && return
    echo "wasm: sdk/client is not there: it is what cairn.wasm is made of" >&2
    exit 1
}

full_sources() {
    sources
    find "$root/sdk/sql" "$root/wasm/full" -name '*.c' ! -name '*_fuzz.c' | sort
}

# Pages that are never touched cost nothing: room for the largest bundle while it replaces another.
MEMORY_BYTES=$((16 * 1024 * 1024))

link() { # name, bytes of memory, sources and objects
    local name=$1 memory=$2
    shift 2
    emcc -Oz -flto -std=c11 -DNDEBUG "${CORE_OPTIONS[@]}" -DCAIRN_VERSION="\"$version\"" \
        -Werror=implicit-function-declaration -fno-math-errno \
        -I"$root/sdk/include" -I"$root/sdk" -I"$root" -I"$root/third_party/sqlite3" \
        -I"$out/include" "$@" "$out"/bundle/*.o \
        --no-entry -sSTANDALONE_WASM -sMALLOC=emmalloc -sFILESYSTEM=0 -sALLOW_MEMORY_GROWTH=0 \
        -sINITIAL_MEMORY="$memory" -sTOTAL_STACK=65536 -Wl,--stack-first \
        -sERROR_ON_UNDEFINED_SYMBOLS=0 -sWARN_ON_UNDEFINED_SYMBOLS=0 -sEXPORTED_FUNCTIONS= \
        -o "$out/$name"
    smaller "$name"
}

# Binaryen once more, with the control flow built anew: 1 % less.
smaller() {
    wasm-opt --mvp-features --flatten --rereloop -Oz -Oz -Oz --low-memory-unused "$out/$1" \
        -o "$out/$1.opt"
    mv "$out/$1.opt" "$out/$1"
}

# SQLite as a small reader of one table: files through full/vfs.c, no threads, no extensions.
# The authoriser and the progress handler stay: questions are bounded by them.
SQLITE_OPTIONS=(-DSQLITE_OS_OTHER=1 -DSQLITE_THREADSAFE=0 -DSQLITE_DQS=0 -DSQLITE_TEMP_STORE=3
    -DSQLITE_DEFAULT_MEMSTATUS=0 -DSQLITE_MAX_MMAP_SIZE=0 -DSQLITE_DEFAULT_LOOKASIDE=0,0
    -DSQLITE_USE_ALLOCA -DSQLITE_LIKE_DOESNT_MATCH_BLOBS -DSQLITE_UNTESTABLE
    -DSQLITE_OMIT_LOAD_EXTENSION -DSQLITE_OMIT_DEPRECATED -DSQLITE_OMIT_SHARED_CACHE
    -DSQLITE_OMIT_DECLTYPE -DSQLITE_OMIT_UTF16 -DSQLITE_OMIT_COMPLETE -DSQLITE_OMIT_DESERIALIZE
    -DSQLITE_OMIT_GET_TABLE -DSQLITE_OMIT_INCRBLOB -DSQLITE_OMIT_JSON -DSQLITE_OMIT_LOCALTIME
    -DSQLITE_OMIT_TRACE -DSQLITE_OMIT_WAL -DSQLITE_OMIT_TCL_VARIABLE
    -DSQLITE_OMIT_INTEGRITY_CHECK -DSQLITE_OMIT_COMPILEOPTION_DIAGS
    -DSQLITE_OMIT_SCHEMA_VERSION_PRAGMAS -DSQLITE_OMIT_INTROSPECTION_PRAGMAS
    -DSQLITE_OMIT_AUTOVACUUM -DSQLITE_OMIT_LOOKASIDE -DSQLITE_OMIT_AUTORESET
    -DSQLITE_OMIT_XFER_OPT -DSQLITE_OMIT_AUTOMATIC_INDEX -DSQLITE_OMIT_BETWEEN_OPTIMIZATION
    -DSQLITE_OMIT_LIKE_OPTIMIZATION)

# Fifteen seconds: only when the source or the options are others. Its warnings are its own.
compile_sqlite() {
    local source=$root/third_party/sqlite3/sqlite3.c stamp
    stamp="$(sha256sum <"$source") ${SQLITE_OPTIONS[*]}"
    [ -f "$out/sqlite3.o" ] && [ "$(cat "$out/sqlite3.stamp" 2>/dev/null)" = "$stamp" ] && return
    emcc -Oz -DNDEBUG "${SQLITE_OPTIONS[@]}" -w -Werror=implicit-function-declaration \
        -c "$source" -o "$out/sqlite3.o"
    printf '%s\n' "$stamp" >"$out/sqlite3.stamp"
}

compile() {
    local slim full
    mapfile -t slim < <(sources)
    mapfile -t full < <(full_sources)
    compile_bundle
    link cairn.wasm "$MEMORY_BYTES" "${slim[@]}"
    compile_sqlite
    link cairn-full.wasm "$MEMORY_BYTES" "${full[@]}" "$out/sqlite3.o"
}

# Scripts, in a module of their own: Duktape throws by longjmp, which needs WebAssembly's
# exceptions; where those are missing no script runs, and nothing else is lost.
SCRIPT_MEMORY_BYTES=$((16 * 1024 * 1024))
compile_script() {
    local includes=(-I"$root/sdk/include" -I"$root/sdk" -I"$root"
        -isystem "$root/third_party/duktape")
    emcc -Oz -w -DNDEBUG -sSUPPORT_LONGJMP=wasm -DDUK_COMPILING_DUKTAPE= \
        "${includes[@]}" \
        -include "$root/sdk/script/duktape_config.h" \
        -c "$root/third_party/duktape/duktape.c" -o "$out/duktape.o"
    emcc -Oz -std=c11 -DNDEBUG -sSUPPORT_LONGJMP=wasm -Werror=implicit-function-declaration \
        "${includes[@]}" "$root/wasm/script/entry.c" "$out/duktape.o" \
        "$root"/sdk/script/{call,engine,outcome,pool,text}.c \
        "$root"/sdk/base/{bytes,hash,memory}.c \
        --no-entry -sSTANDALONE_WASM -sMALLOC=emmalloc -sFILESYSTEM=0 -sALLOW_MEMORY_GROWTH=0 \
        -sINITIAL_MEMORY="$SCRIPT_MEMORY_BYTES" -sTOTAL_STACK=1048576 -Wl,--stack-first \
        -sERROR_ON_UNDEFINED_SYMBOLS=0 -sWARN_ON_UNDEFINED_SYMBOLS=0 -sEXPORTED_FUNCTIONS= \
        -o "$out/cairn-script.wasm"
}

# Nothing newer than WebAssembly 1.0: mini-programs and old phones run it too.
check() {
    wasm-validate --disable-mutable-globals --disable-saturating-float-to-int \
        --disable-sign-extension --disable-simd --disable-multi-value --disable-bulk-memory \
        --disable-reference-types "$out/$1"
}

package() {
    cp "$out/cairn.wasm" "$out/cairn-full.wasm" "$out/cairn-script.wasm" dist/
    npx --no-install esbuild src/index.ts --bundle --format=esm --target=es2020 \
        --minify-syntax --minify-whitespace --sourcemap --log-level=warning --outfile=dist/index.js
    npx --no-install esbuild src/full/index.ts --bundle --format=esm --target=es2020 \
        --minify-syntax --minify-whitespace --sourcemap --log-level=warning --outfile=dist/full.js
    npx --no-install esbuild src/full/worker.ts --bundle --format=esm --target=es2020 --minify \
        --log-level=warning --outfile=dist/full-worker.js
    npx --no-install esbuild src/script/worker.ts --bundle --format=esm --target=es2020 --minify \
        --log-level=warning --outfile=dist/script-worker.js
    npx --no-install esbuild src/testing.ts --bundle --format=esm --target=es2020 \
        --log-level=warning --outfile="$out/testing.mjs"
    npx --no-install tsc
    # what index.d.ts does not name is nobody else's
    find dist -name '*.d.ts' ! -name index.d.ts ! -name '*types.d.ts' ! -path 'dist/full/*' \
        ! -path 'dist/script/*' -delete
}

# Not part of the package: what bench/bundle.mjs measures, of the core's own sources and flags.
if [ "${1:-}" = bench ]; then
    mapfile -t core < <(sources | grep -v "^$root/wasm/")
    compile_bundle
    link bundle_bench.wasm $((8 * 1024 * 1024)) "${core[@]}" "$root/bench/bundle_wasm.c"
    exit
fi

need_the_client
compile
compile_script
check cairn.wasm
check cairn-full.wasm
package
node size.mjs "${1:-check}"
