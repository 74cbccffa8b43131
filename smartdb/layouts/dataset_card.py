"""The README.md of a Hugging Face dataset: which files are which split, and what is in them."""

from __future__ import annotations

import json

from smartdb.export_work import Work
from smartdb.layouts.licences import licences

SPLITS = {"train": "train", "val": "validation", "test": "test"}
_SIZES = (
    (10**3, "n<1K"), (10**4, "1K<n<10K"), (10**5, "10K<n<100K"), (10**6, "100K<n<1M"),
    (10**7, "1M<n<10M"), (10**8, "10M<n<100M"), (10**9, "100M<n<1B"),
)  # fmt: skip


def text(work: Work, folder: str) -> bytes:
    """The card, whose head is YAML (JSON's strings are such)."""
    plan, version = work.plan, work.plan.version
    size = next((name for limit, name in _SIZES if plan.n_items < limit), "1B<n<10B")
    licence = licences(work.conn)
    head = ["configs:", "- config_name: default", "  data_files:"]
    for split in plan.splits:
        head += [f"  - split: {SPLITS[split]}", f"    path: {folder}{SPLITS[split]}-*"]
    head += [f"pretty_name: {json.dumps(version.dataset)}", f"size_categories:\n- {size}"]
    if len(licence) == 1 and licence[0]:
        head += [f"license: {json.dumps(licence[0].lower())}"]
    else:
        head += [f"license: {'unknown' if None in licence else 'other'}"]
    counts = "".join(f"| {SPLITS[split]} | {n} |\n" for split, n in plan.splits.items())
    names = "".join(f"- {info.name}\n" for info in plan.classes)
    said = ", ".join(each or "not stated" for each in licence) or "not stated"
    body = (
        f"# {version.dataset}\n\nVersion {version.version}"
        f"{f' ({version.message})' if version.message else ''}, digest `{version.digest}`, made by "
        f"smartdb. Licence of the pictures: {said}.\n\n| split | pictures |\n|---|---|\n{counts}\n"
        "`label` is the class of the whole picture, `objects` what has a box ([x, y, width, "
        "height] in pixels), with `shape` and `attributes` as JSON; `annotations` is what else is "
        "said.\n\n"
        f"Classes:\n\n{names}"
    )
    return ("---\n" + "\n".join(head) + f"\n---\n\n{body}").encode()
