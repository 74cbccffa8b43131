"""Every example in schema/interface gives the result that stands beside it, asked as a reader.

An example is two comments at the end of a file: the statement, and its rows as psql would put
them. ``python tests/sql/test_interface.py URL`` prints what the examples give.
"""

from __future__ import annotations

import re
from pathlib import Path

import psycopg
import pytest

INTERFACE = Path(__file__).parents[2] / "schema" / "interface"
EXAMPLE = re.compile(
    r"^-- example:\n(?P<query>(?:--   .*\n)+)-- result:\n(?P<result>(?:--   .*\n)*)\Z", re.M
)
FILES = sorted(path for path in INTERFACE.glob("*.sql") if path.name != "90_grants.sql")
WRITERS = {
    "32_label_unfit": "smartdb_writer",
    "46_add_labelling_function": "smartdb_writer",
    "46_drop_labelling_function": "smartdb_writer",
    "33_label_edit": "smartdb_annotator",
    "60_add_to_slice": "smartdb_writer",
    "60_drop_slice": "smartdb_writer",
    "60_remove_from_slice": "smartdb_writer",
    "60_save_set": "smartdb_writer",
    "60_save_slice": "smartdb_writer",
    "83_person_id": "smartdb_annotator",
    "84_claim_task": "smartdb_annotator",
    "83_release_expired": "smartdb_annotator",
    "85_finish_task": "smartdb_annotator",
    "86_answer_task": "smartdb_annotator",
    "86_reassign_task": "smartdb_reviewer",
    "86_renew_task": "smartdb_annotator",
    "86_return_task": "smartdb_annotator",
    "87_submit_task": "smartdb_annotator",
    "84_tag_media": "smartdb_annotator",
    "84_untag_media": "smartdb_annotator",
    "85_label_row": "smartdb_annotator",
    "85_require_lease": "smartdb_annotator",
    "85_require_track": "smartdb_annotator",
    "86_end_track": "smartdb_annotator",
    "86_resume_track": "smartdb_annotator",
    "86_label_rows": "smartdb_annotator",
    "86_note_edit": "smartdb_annotator",
    "86_own_label": "smartdb_annotator",
    "87_add_labels": "smartdb_annotator",
    "87_edit_label": "smartdb_annotator",
    "87_remove_label": "smartdb_annotator",
    "86_skip_task": "smartdb_annotator",
    "86_submit_label": "smartdb_annotator",
    "17_resolve_finding": "smartdb_privacy",
    "84_add_comment": "smartdb_annotator",
    "86_label_with": "smartdb_annotator",
    "86_says_the_same": "smartdb_annotator",
    "87_changed_label": "smartdb_reviewer",
    "87_give_verdict": "smartdb_reviewer",
    "87_review_label": "smartdb_reviewer",
    "87_review_labels": "smartdb_reviewer",
    "88_adjudicate": "smartdb_reviewer",
    "88_dispute": "smartdb_reviewer",
    "88_resolve_issue": "smartdb_reviewer",
    "88_withdraw_review": "smartdb_reviewer",
    "88_resolve_conflict": "smartdb_reviewer",
    "88_submit_review": "smartdb_reviewer",
}


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_an_example_gives_the_result_beside_it(path: Path, example_read: str) -> None:
    found = EXAMPLE.search(path.read_text())
    assert found, f"{path.name} ends without an example and its result"
    assert ask(example_read, path, found["query"]) == _lines(found["result"])


def ask(url: str, path: Path, query: str) -> list[str]:
    """The rows of an example, each as one line, asked by the least role that may."""
    with psycopg.connect(url) as conn:
        conn.execute(f"set role {WRITERS.get(path.stem, 'smartdb_reader')}")
        conn.execute("set timezone = 'UTC'")
        rows: list[str] = []
        for statement in " ".join(_lines(query)).split(";"):
            rows = [" | ".join(map(_plain, row)) for row in conn.execute(statement.encode())]
        conn.rollback()
        return rows


def _lines(text: str) -> list[str]:
    return [line.removeprefix("--   ") for line in text.splitlines()]


def _plain(value: object) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def main(url: str) -> None:
    """Writes the results anew into the files, to be read before they are committed."""
    for path in FILES:
        text = path.read_text()
        found = EXAMPLE.search(text)
        if found:
            rows = "".join(f"--   {row}\n" for row in ask(url, path, found["query"]))
            path.write_text(text[: found.start("result")] + rows)


if __name__ == "__main__":
    import sys

    main(sys.argv[1])
