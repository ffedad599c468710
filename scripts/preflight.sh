#!/usr/bin/env bash
# Says what `make setup` needs and does not find; as root on a Debian machine it installs exactly that.
set -euo pipefail
python=${PYTHON:-python3}

missing=()
if ! command -v "$python" >/dev/null; then
  missing+=(python3)
elif ! "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))'; then
  echo "proofgrid needs Python 3.11 or newer; $python is $("$python" -V 2>&1). Try: make setup PYTHON=python3.12" >&2
  exit 1
fi
if command -v "$python" >/dev/null; then
  "$python" -c 'import ensurepip, venv' 2>/dev/null || missing+=(python3-venv)
  "$python" -c 'import pathlib, sys, sysconfig; sys.exit(not (pathlib.Path(sysconfig.get_path("include")) / "Python.h").exists())' ||
    missing+=(python3-dev)
fi
command -v "${CXX:-c++}" >/dev/null || command -v g++ >/dev/null || missing+=(g++)
# From Python 3.13 on no wheel carries a Redis server (see pyproject.toml).
if ! command -v redis-server >/dev/null && ! "$python" -c 'import sys; sys.exit(sys.version_info >= (3, 13))' 2>/dev/null; then
  missing+=(redis-server)
fi
# Half of tests/network runs on a PostgreSQL of its own; without one it is skipped, but not in CI.
if [ -n "${CI:-}" ] && ! command -v initdb >/dev/null && ! compgen -G '/usr/lib/postgresql/*/bin/initdb' >/dev/null; then
  missing+=(postgresql)
fi
[ ${#missing[@]} -eq 0 ] && exit 0

if [ "$(id -u)" -eq 0 ] && command -v apt-get >/dev/null; then
  echo "installing ${missing[*]} (apt-get)"
  apt-get update -qq
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
  exit 0
fi
echo "proofgrid's set-up needs: ${missing[*]}" >&2
echo "install them and run the same command again:  sudo apt-get install ${missing[*]}" >&2
exit 1
