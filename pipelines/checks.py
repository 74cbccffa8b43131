"""Asset checks: each asks the database a question whose answer should be none."""

import dagster as dg

from smartdb import checks, drift
from smartdb.pruning_methods import EPS

from .annotating import label
from .managing import embedding
from .resources import Database, Loop
from .reviewing import consensus
from .sourcing import media
from .training import dataset_version

FEWEST_LABELS = 10
FEWEST_JUDGED = 30
LARGEST_REFUSED_SHARE = 0.05
LARGEST_REPEATED_SHARE = 0.1
WARN = dg.AssetCheckSeverity.WARN


@dg.asset_check(
    asset=media, description=f"At most {LARGEST_REFUSED_SHARE:.0%} of the files are refused."
)
def few_refused(database: Database, loop: Loop) -> dg.AssetCheckResult:
    with database.writer() as conn:
        n_refused, n = checks.refused_files(conn, loop.called())
    passed = n_refused <= LARGEST_REFUSED_SHARE * n
    return dg.AssetCheckResult(
        passed=passed, severity=WARN, metadata={"n_refused": n_refused, "n_files": n}
    )


@dg.asset_check(
    asset=media, description="What came in last is neither darker nor blurrier than what was there."
)
def no_drift(database: Database, loop: Loop) -> dg.AssetCheckResult:
    with database.writer() as conn:
        distances = drift.quality(conn, loop.called())
    passed = all(distance <= drift.LARGEST for distance in distances.values())
    return dg.AssetCheckResult(
        passed=passed, severity=WARN, metadata={"largest": drift.LARGEST, **distances}
    )


@dg.asset_check(
    asset=dataset_version,
    description="The newest version has the classes and pixel statistics of the one before.",
)
def no_version_drift(database: Database, loop: Loop) -> dg.AssetCheckResult:
    with database.writer() as conn:
        found = drift.version(conn, loop.called())
    far = {each.statistic: each.psi for each in found if drift.has_drifted(each)}
    return dg.AssetCheckResult(
        passed=not far, severity=WARN, metadata={"largest_psi": drift.LARGEST_PSI, "drifted": far}
    )


@dg.asset_check(asset=embedding, description="Every image has a vector.", blocking=True)
def no_gap(database: Database, loop: Loop) -> dg.AssetCheckResult:
    with database.writer() as conn:
        n_missing, n = checks.embedding_gap(conn, loop.encoder_name(), loop.called())
    return dg.AssetCheckResult(
        passed=n_missing == 0, metadata={"n_missing": n_missing, "n_images": n}
    )


@dg.asset_check(asset=label, description=f"Every class has at least {FEWEST_LABELS} labels.")
def enough_labels(database: Database, loop: Loop) -> dg.AssetCheckResult:
    with database.writer() as conn:
        small = checks.small_classes(conn, loop.called(), FEWEST_LABELS)
    return dg.AssetCheckResult(passed=not small, severity=WARN, metadata={"small_classes": small})


@dg.asset_check(
    asset=consensus,
    description="Annotators agree, by Krippendorff's alpha, as much as least_agreement asks; "
    f"asked from {FEWEST_JUDGED} media on that several judged.",
    blocking=True,
)
def enough_agreement(database: Database, loop: Loop) -> dg.AssetCheckResult:
    with database.writer() as conn:
        n_media, alpha = checks.agreement(conn, loop.called())
    return dg.AssetCheckResult(
        passed=alpha is None or n_media < FEWEST_JUDGED or alpha >= loop.least_agreement,
        metadata={"n_media": n_media, "least": loop.least_agreement}
        | ({} if alpha is None else {"alpha": alpha}),
    )


@dg.asset_check(
    asset=dataset_version, description="Near-duplicates and groups lie in one split.", blocking=True
)
def no_leak(database: Database, loop: Loop) -> dg.AssetCheckResult:
    with database.writer() as conn:
        pairs = checks.split_leaks(conn, loop.called())
    return dg.AssetCheckResult(
        passed=not pairs, metadata={"n_pairs": len(pairs), "pairs": pairs[:10]}
    )


@dg.asset_check(
    asset=dataset_version,
    description=f"At most {LARGEST_REPEATED_SHARE:.0%} of the members say what another says.",
)
def little_repetition(database: Database, loop: Loop) -> dg.AssetCheckResult:
    with database.writer() as conn:
        n_repeated, n = checks.semantic_duplicates(conn, loop.called(), loop.encoder_name(), EPS)
    return dg.AssetCheckResult(
        passed=n_repeated <= LARGEST_REPEATED_SHARE * n,
        severity=WARN,
        metadata={"n_repeated": n_repeated, "n_members": n, "eps": EPS},
    )


ALL = [
    few_refused,
    no_drift,
    no_version_drift,
    no_gap,
    enough_labels,
    enough_agreement,
    no_leak,
    little_repetition,
]
