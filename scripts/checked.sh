#!/usr/bin/env bash
# The native core built with checks, and tests run over it:
#   scripts/checked.sh verify      every stated bound of the ifma layer (PROOFGRID_VERIFY)
#   scripts/checked.sh sanitize    the address and undefined-behaviour sanitizers (PROOFGRID_SANITIZE)
# What follows is run by Python in place of the default, the kernels' tests and 60 seconds of their fuzzer.
# The last line says what was checked, on which layers, and how long it took.
# The sources are copied to build/<check>/tree first: the module that is in use stays as it is.
set -euo pipefail
SECONDS=0
cd "$(dirname "$0")/.."
check=${1:-}
without=()
case $check in
  verify)
    option=-DPROOFGRID_VERIFY=ON what="every stated bound of layer ifma"
    damaged=tests/kernels/test_prepared.py::test_damaged_bytes_do_no_harm
    without=(--deselect "$damaged")
    echo "verify: without $damaged, whose bytes break every bound on purpose" ;;
  sanitize) option=-DPROOFGRID_SANITIZE=ON what="the address and undefined-behaviour sanitizers" ;;
  *) echo "checked.sh: expected verify or sanitize, got '$check'" >&2; exit 2 ;;
esac
shift
python=$(realpath -s "${PYTHON:-.venv/bin/python}")
tree=build/$check/tree
rm -rf "$tree/tests" # what is gone there is not run
mkdir -p "$tree"
git ls-files -z --cached --others --exclude-standard | xargs -0 cp --parents --preserve=timestamps -P -t "$tree"

PATH="$(dirname "$python"):$PATH"
echo "$check: building (several minutes the first time)"
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
trap 'status=$?; if [ $status != 0 ]; then echo "$check: FAILED after $SECONDS s, status $status" >&2; fi' EXIT
layers=$("$python" -S -c 'from tests.fuzz.kernel_cases import layers; print(*layers())')
echo "$check: the kernels' tests, then their fuzzer for 60 s, on $layers"
# A finding ends the process: without capturing it can be seen.
"$python" -S -m pytest tests/kernels -q -p no:cacheprovider --capture=sys "${without[@]}"
"$python" -S -m tests.fuzz.kernels --seconds 60
echo "$check: clean in $SECONDS s: $what, on $layers"
