#!/bin/bash
# fuzz.sh SECONDS TARGET...: runs libFuzzer targets of the fuzz preset, each for SECONDS.
# Starts from the seeds in tests/corpus/TARGET (never written to); what it finds on the way is kept
# in build/fuzz/corpus/TARGET. A crasher is left in build/fuzz/crashes/ and printed: copy it into
# tests/corpus/TARGET, where every later build runs it as a test.
set -euo pipefail
cd "$(dirname "$0")/.."

seconds=${1:?usage: tools/fuzz.sh SECONDS TARGET...}
shift
memory_mib_max=2048
input_bytes_max=65536

for target in "$@"; do
    binary=build/fuzz/bin/fuzz_$target
    if [ ! -x "$binary" ]; then
        cmake --preset fuzz >/dev/null
        cmake --build --preset fuzz --target "fuzz_$target"
    fi
    mkdir -p "build/fuzz/corpus/$target" build/fuzz/crashes "tests/corpus/$target"
    echo "fuzz: $target for $seconds s"
    "$binary" -max_total_time="$seconds" -rss_limit_mb=$memory_mib_max -max_len=$input_bytes_max \
        -timeout=10 -print_final_stats=1 -verbosity=0 \
        -artifact_prefix="build/fuzz/crashes/$target-" \
        "build/fuzz/corpus/$target" "tests/corpus/$target"
done
