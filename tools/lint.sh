#!/bin/bash
# lint.sh: the checks a reviewer should not have to make.
#   tools/lint.sh           clang-format, tidy.py (house rules), clang-tidy
#   tools/lint.sh quick     without clang-tidy (seconds instead of minutes)
#   tools/lint.sh format    rewrites the sources with clang-format
set -euo pipefail
cd "$(dirname "$0")/.."

mode=${1:-all}
mapfile -t sources < <(git ls-files '*.c' '*.h')

if [ "$mode" = format ]; then
    clang-format -i "${sources[@]}"
    exit
fi

echo "lint: clang-format on ${#sources[@]} files"
clang-format --dry-run --Werror "${sources[@]}"
echo "lint: house rules"
python3 tools/tidy.py
[ "$mode" = quick ] && exit

# The fuzz preset compiles with clang, so its flags are flags that clang-tidy understands.
cmake --preset fuzz >/dev/null
cmake --build --preset fuzz --target cairn_proto >/dev/null # headers that are made at build time
python3 tools/tidy.py --sources build/fuzz/compile_commands.json > build/fuzz/tidy.txt
echo "lint: clang-tidy on $(wc -l < build/fuzz/tidy.txt) files"
xargs -a build/fuzz/tidy.txt -P "$(nproc)" -n 1 \
    clang-tidy --quiet -p build/fuzz --warnings-as-errors='*' 2>build/fuzz/tidy.err ||
    { grep -v 'warnings generated\|^Suppressed\|^Use -' build/fuzz/tidy.err >&2; exit 1; }
echo "lint: clean"
