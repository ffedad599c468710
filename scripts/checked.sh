#!/usr/bin/env bash
# The native core built with checks, and tests run over it:
#   scripts/checked.sh verify      every stated bound of the ifma layer (PROOFGRID_VERIFY)
#   scripts/checked.sh sanitize    the address and undefined-behaviour sanitizers (PROOFGRID_SANITIZE)
# What follows is run by Python in place of the default, the kernels' tests and 60 seconds of their fuzzer.
# The sources are copied to build/<check>/tree first: the module that is in use stays as it is.
set -euo pipefail
cd "$(dirname "$0")/.."
check=$1
shift
python=$(realpath -s "${PYTHON:-.venv/bin/python}")
tree=build/$check/tree
mkdir -p "$tree"
git ls-files -z --cached --others --exclude-standard | xargs -0 cp --parents --preserve=timestamps -P -t "$tree"

case $check in
  verify) option=-DPROOFGRID_VERIFY=ON ;;
  sanitize) option=-DPROOFGRID_SANITIZE=ON ;;
  *) echo "checked.sh: expected verify or sanitize, got $check" >&2; exit 2 ;;
esac
PATH="$(dirname "$python"):$PATH"
cmake -S "$tree" -B "build/$check/cmake" -GNinja -DCMAKE_BUILD_TYPE=Debug -DPROOFGRID_IN_PLACE=ON \
  -DPython_EXECUTABLE="$python" "$option" >/dev/null
cmake --build "build/$check/cmake" -- ${NINJA_FLAGS:-}

# -S: without the hook of an editable install, which would find the other module.
site=$("$python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))')
export PYTHONPATH=$PWD/$tree:$site
if [ "$check" = sanitize ]; then
  export LD_PRELOAD ASAN_OPTIONS=detect_leaks=0 UBSAN_OPTIONS=print_stacktrace=1
  LD_PRELOAD="$(g++ -print-file-name=libasan.so) $(g++ -print-file-name=libubsan.so)"
fi
cd "$tree"
if [ $# -gt 0 ]; then
  exec "$python" -S "$@"
fi
"$python" -S -m pytest tests/kernels -q -p no:cacheprovider
"$python" -S -m tests.fuzz.kernels --seconds 60
