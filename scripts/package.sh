#!/usr/bin/env bash
# Builds sdist -> wheel, installs the wheel apart from the checkout with its plain dependencies, and uses it.
set -euo pipefail
cd "$(dirname "$0")/.."
python=$PWD/.venv/bin/python vectors=$PWD/tests/vectors/circom/bn254 constraints=$PWD/constraints.txt
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export PATH=$PWD/.venv/bin:$PATH

"$python" -m build --no-isolation --sdist --outdir "$work" . >/dev/null
tar -xzf "$work"/proofgrid-*.tar.gz -C "$work"
(cd "$work"/proofgrid-*/ && "$python" -m build --no-isolation --wheel --outdir "$work" . >/dev/null)
"$python" -m venv "$work/venv"
"$work/venv/bin/python" -m pip install --quiet --disable-pip-version-check --constraint "$constraints" "$work"/proofgrid-*.whl

cd "$work" # away from the checkout: only the wheel is imported
venv/bin/proofgrid prove "$vectors/steps.zkey" "$vectors/steps.wtns" --json
venv/bin/proofgrid verify "$vectors/verification_key.json" public.json proof.json --json
venv/bin/proofgrid export solidity --key "$vectors/verification_key.json" --output contracts --json
test -s venv/lib/python3*/site-packages/proofgrid/settlement/program/proofgrid.so
echo "package: the sdist builds, and its wheel proves, verifies and exports without the node's dependencies"
