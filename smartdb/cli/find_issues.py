"""Commands that suspect label errors: find-issues, patterns; and detectors, which compares them."""

from __future__ import annotations

from dataclasses import asdict, astuple, fields

import click

from smartdb.cli import output

_AS_JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
_DETECTORS = (
    "rank", "prediction", "confident_joint", "noise_rate", "prune_by_noise_rate", "prune_by_class",
    "both", "confident_learning", "predicted_neq_given", "low_normalized_margin",
    "low_self_confidence", "low_weighted_entropy", "neighbour_vote", "knn_shapley",
    "multi_annotator",
)  # fmt: skip


@click.command("find-issues")
@click.option("--encoder", help="Whose vectors to judge by [default: the only one].")
@click.option("--ontology", help="Whose labels to judge [default: the only one].")
@click.option("--folds", type=click.IntRange(2), default=5, show_default=True, help="Folds.")
@click.option("--seed", type=int, default=0, show_default=True, help="Seed of the folds.")
@click.option(
    "--detector",
    type=click.Choice(_DETECTORS),
    help="Whose suspicions to ask about [default: what verdicts prefer, else rank].",
)
@click.option("--run", "run_id", type=int, help="Use the predictions of this run; train nothing.")
@_AS_JSON
def find_issues(
    encoder: str | None,
    ontology: str | None,
    folds: int,
    seed: int,
    detector: str | None,
    run_id: int | None,
    as_json: bool,
) -> None:
    """Suspect labels that models which did not see them doubt."""
    from smartdb import database, label_issues

    with database.session() as conn:
        if run_id is not None:
            counts = label_issues.find_in_run(conn, run_id, encoder=encoder, detector=detector)
        else:
            counts = label_issues.find(
                conn, encoder, ontology=ontology, folds=folds, seed=seed, detector=detector
            )
    if as_json:
        output.print_json(counts)
        return
    left_out, missing = counts.pop("left_out", []), counts.pop("missing")
    output.table(counts.items(), ["count", "n"])
    if left_out:
        output.say(f"left out, in fewer than {folds} groups: {', '.join(left_out)}")
    for name, why in missing.items():
        output.say(f"{name} was not asked: {why}")
    if counts["suspected"]:
        output.say("look at them: smartdb issues; ask people: smartdb review queue")


@click.group()
def detectors() -> None:
    """Compare the detectors of label errors on what reviewers have decided."""


@detectors.command()
@_AS_JSON
def compare(as_json: bool) -> None:
    """Show the detectors side by side, the best first, and which fills the queue next."""
    from smartdb import database, detector_choice, label_detectors

    with database.session(role="smartdb_reader") as conn:
        found = detector_choice.compare(conn)
    choice = detector_choice.chosen(found, label_detectors.SIDE_BY_SIDE)
    if as_json:
        output.print_json({"detectors": [asdict(c) for c in found], **asdict(choice)})
        return
    columns = [field.name for field in fields(detector_choice.Comparison)]
    output.table((astuple(c) for c in found), columns)
    output.say(f"next: {choice.detector} ({choice.reason})")


@click.command()
@click.option("--all", "everything", is_flag=True, help="All confusions, not only clear ones.")
@click.option("--find", is_flag=True, help="Suspect the labels of the clear ones.")
@_AS_JSON
def patterns(everything: bool, find: bool, as_json: bool) -> None:
    """List what an annotator confuses more often than the others do."""
    from smartdb import annotator_patterns, database

    if find:
        with database.session() as conn:
            counts = annotator_patterns.find(conn)
        output.say(f"{counts['suspected']} labels of {counts['patterns']} patterns suspected")
    with database.session(role="smartdb_reader") as conn:
        found = annotator_patterns.patterns(conn, everything=everything)
    if as_json:
        output.print_json([asdict(pattern) for pattern in found])
        return
    columns = [field.name for field in fields(annotator_patterns.Pattern)]
    output.table((astuple(pattern) for pattern in found), columns)
