"""A results file as a table for a document: ``python -m benchmarks.table results/FILE.json``."""

import argparse
import json
from pathlib import Path
from typing import Any


def render(rows: list[dict[str, Any]]) -> str:
    """Markdown: a row for each case, a column for each peer with its time over ours."""
    names = sorted({name for row in rows for name in row["ratios"]})
    head = ["case", "threads", "seconds", "of the limit", *names]
    lines = [head, ["---"] * len(head)]
    for row in rows:
        what = " ".join(str(row[name]) for name in ("kind", "circuit", "group", "curve") if row[name])
        ratios = [f"{row['ratios'][name]:.1f}x" if name in row["ratios"] else "" for name in names]
        share = f"{100 * row['share_of_limit']:.0f} %"
        lines.append([f"{what} 2^{row['log_n']}", str(row["threads"]), f"{row['seconds']:.3g}", share, *ratios])
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.table", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("results", type=Path)
    print(render(json.loads(parser.parse_args().results.read_text())["rows"]))


if __name__ == "__main__":
    main()
