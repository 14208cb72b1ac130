#!/bin/sh
# Compiles the plugin's module: `sh build.sh OUT.wasm`. Nothing but a C compiler that knows wasm32
# is needed; the first of these that there is: $CC, `zig cc`, `python3 -m ziglang cc`, clang with
# wasm-ld. Prints which one it was. Exits with 3, and says what to install, where there is none.
#
# The same sources and the same compiler give the same bytes. `cubic.wasm` is made with the
# compiler that `cubic.wasm.origin` names: write both anew with `sh build.sh cubic.wasm`.
set -eu
out=$1
here=$(cd "$(dirname "$0")" && pwd)
case $out in /*) ;; *) out=$(pwd)/$out ;; esac

if [ -n "${CC:-}" ]; then
    compile=$CC
elif command -v zig >/dev/null; then
    compile='zig cc'
elif python3 -m ziglang version >/dev/null 2>&1; then
    compile='python3 -m ziglang cc'
elif command -v clang >/dev/null && command -v wasm-ld >/dev/null; then
    compile=clang
else
    echo "no C compiler for wasm32: \`pip install ziglang==0.17.1\` is one, clang with lld another" >&2
    exit 3
fi

case $compile in
*zig*)
    compiler="zig $(${compile% cc} version)"
    target=wasm32-freestanding
    ;;
*)
    compiler=$($compile --version | head -n 1)
    target=wasm32-unknown-unknown
    ;;
esac

# File names without folders, so that no folder is in the module.
cd "$here"
sources='cubic.c field.c json.c memory.c'
$compile -target $target -std=c11 -Os -Wall -Wextra -Werror -ffreestanding -nostdlib \
    -Wl,--no-entry -Wl,--strip-all -o "$out" $sources

# What the module is made of; a test compares it with the sources beside it.
digest() { if command -v sha256sum >/dev/null; then sha256sum "$@"; else shasum -a 256 "$@"; fi; }
{
    echo "compiler  $compiler"
    digest build.sh ./*.c ./*.h | sed 's|\./||'
} >"$out.origin"
echo "$compiler"
