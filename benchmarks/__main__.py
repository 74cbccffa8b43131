"""``python -m benchmarks [NAME ...] [--quick]``: those named, or all but core and growth."""

from __future__ import annotations

import argparse
import importlib

NAMES = (
    "ingest", "incremental", "labels", "embed", "vectors", "versions", "search", "sample", "graph",
    "alike", "label_errors", "hashes", "video", "faces", "export", "api", "regions", "slices",
    "prune", "autolabel", "exchange", "consensus", "growth", "core", "tasks", "box_issues",
    "detections", "ontology", "reviews",
)  # fmt: skip


def main() -> None:
    """Runs each benchmark in turn; each prints its tables."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(NAMES))
    parser.add_argument("--quick", action="store_true", help="tiny sizes, to see that it runs")
    chosen = parser.parse_args()
    unknown = set(chosen.names) - set(NAMES)
    if unknown:
        parser.error(f"no benchmark {', '.join(sorted(unknown))}; there are: {', '.join(NAMES)}")
    for name in chosen.names or [name for name in NAMES if name not in ("core", "growth")]:
        importlib.import_module(f"benchmarks.{name}").main(quick=chosen.quick)


if __name__ == "__main__":
    main()
