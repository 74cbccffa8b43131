"""Pictures of what runs found, as PNG bytes: for Dagster's metadata, and --plot of the CLI.

Where there is nothing to draw the picture says so.
"""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import psycopg

from smartdb import evaluation, media_graph, pruning_curve
from smartdb.errors import InvalidInput
from smartdb.heads import needs
from smartdb.pruning import find as find_pruning

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from PIL import Image, ImageFont

MOST = 30
"""Classes or slices in one picture: of more, those with the most errors are drawn."""

Colour = Literal["class", "cluster"]

_BLUE, _ORANGE, _GREY = "#3465a4", "#d9782d", "#6f757e"


def confusion(conn: psycopg.Connection[Any], run_id: int, split: str = "test") -> bytes:
    """The confusion matrix of a run: rows are true classes, colour their share, numbers counts."""
    names, counts = evaluation.confusion_matrix(conn, run_id, split)
    if not names:
        return _nothing(f"run {run_id} has no labelled {split} items")
    wrong = counts.sum(axis=0) + counts.sum(axis=1) - 2 * counts.diagonal()
    shown = np.sort(np.argsort(-wrong, kind="stable")[:MOST])
    names, part = [names[at] for at in shown], counts[np.ix_(shown, shown)]
    shares = part / np.maximum(counts.sum(axis=1)[shown], 1)[:, None]
    side = max(3.5, 0.42 * len(names) + 1.8)
    figure, axes = _figure(side, side)
    axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    axes.set_xticks(range(len(names)), names, rotation=90 if _wide(names) else 0)
    axes.set_yticks(range(len(names)), names)
    for (row, column), n in np.ndenumerate(part):
        if n:
            colour = "white" if shares[row, column] > 0.5 else "black"
            axes.text(column, row, str(n), ha="center", va="center", fontsize=8, color=colour)
    accuracy = counts.diagonal().sum() / counts.sum()
    axes.set(xlabel="predicted", ylabel="true")
    title = f"run {run_id}, {split}: {accuracy:.1%} of {counts.sum()} right"
    if len(counts) > MOST:
        title += f"\n(the {MOST} of {len(counts)} classes with the most errors)"
    return _png(figure, axes, title)


def class_bars(conn: psycopg.Connection[Any], run_id: int, split: str = "test") -> bytes:
    """Precision and recall of each class, worst F1 on top."""
    rows = evaluation.class_metrics(conn, run_id, split)
    if not rows:
        return _nothing(f"run {run_id} has no labelled {split} items")
    shown = rows[:MOST]
    figure, axes = _figure(6, 1.4 + 0.34 * len(shown))
    place = np.arange(len(shown))
    for shift, key, colour in ((-0.19, "precision", _BLUE), (0.19, "recall", _ORANGE)):
        values = [row[key] or 0.0 for row in shown]
        axes.barh(place + shift, values, 0.36, color=colour, label=key)
    axes.set_yticks(place, [f"{row['class']} ({row['n_true']})" for row in shown])
    axes.invert_yaxis()
    axes.set_xlim(0, 1)
    figure.legend(loc="outside lower center", ncols=2, frameon=False, fontsize=9)
    which = f"the {MOST} worst of {len(rows)}" if len(rows) > MOST else "worst F1 first"
    return _png(figure, axes, f"run {run_id}, {split}: classes, {which}")


def loss(conn: psycopg.Connection[Any], run_id: int) -> bytes:
    """The log loss after each epoch on train and, if there are items, on val."""
    curves = evaluation.loss_curve(conn, run_id)
    if not curves:
        return _nothing(f"run {run_id} has no learning curve")
    figure, axes = _figure(5.5, 3.4)
    for split, colour in (("train", _BLUE), ("val", _ORANGE)):
        if split in curves:
            steps, values = zip(*curves[split])
            axes.plot(steps, values, "o-", markersize=3, color=colour, label=split)
    if "val" in curves:
        step, value = min(curves["val"], key=lambda point: point[1])
        axes.axvline(step, color=_GREY, linewidth=1, linestyle=":")
        axes.annotate(f"kept: {value:.3f}", (step, value), (4, 8), textcoords="offset points")
    axes.set(xlabel="epoch", ylabel="log loss")
    axes.locator_params(axis="x", integer=True)
    axes.set_ylim(bottom=0)
    axes.legend(frameon=False)
    return _png(figure, axes, f"run {run_id}: loss")


def slices(conn: psycopg.Connection[Any], run_id: int, split: str = "test") -> bytes:
    """Accuracy on the worst slices, those that chance does not explain (z below -3) in orange."""
    rows = evaluation.worst_slices(conn, run_id, split, min_n=10)
    if not rows:
        return _nothing(f"run {run_id} is on no slice of {split} worse than on the whole")
    shown = rows[:15]
    whole = shown[0]["accuracy"] - shown[0]["difference"]
    figure, axes = _figure(6.4, 1.4 + 0.3 * len(shown))
    colours = [_ORANGE if row["z"] < -3 else _BLUE for row in shown]
    axes.barh(range(len(shown)), [row["accuracy"] for row in shown], color=colours)
    for at, row in enumerate(shown):
        axes.text(1.01, at, f"z {row['z']:.1f}", va="center", fontsize=8, color=_GREY)
    names = [f"{row['facet']}: {row['slice']} ({row['n']})" for row in shown]
    axes.set_yticks(range(len(shown)), names)
    axes.invert_yaxis()
    axes.set_xlim(0, 1)
    axes.axvline(whole, color=_GREY, linestyle="--", linewidth=1)
    axes.set_xlabel(f"accuracy (dashed: the whole, {whole:.3f})")
    return _png(figure, axes, f"run {run_id}, {split}: worst slices")


def media_map(conn: psycopg.Connection[Any], encoder: str, colour: Colour | None = None) -> bytes:
    """The map of an encoder's media, coloured by class or cluster; by class where there are any.

    The ten most frequent have a colour of their own, others and media without a class are grey.
    """
    rows = media_graph.points(conn, encoder)
    if not rows:
        return _nothing(f"encoder {encoder} has no map")
    by = colour or ("class" if any(row["class"] for row in rows) else "cluster")
    values = [row["class"] if by == "class" else row["cluster_id"] for row in rows]
    places = np.array([(row["map_x"], row["map_y"]) for row in rows])
    figure, axes = _figure(7, 5)
    known = Counter(value for value in values if value is not None)
    groups = [value for value, _ in known.most_common(10)]
    named = np.array([groups.index(value) if value in groups else -1 for value in values])
    size = float(np.clip(3000 / len(rows), 0.5, 16))
    rest = "others" if len(known) > len(groups) else f"no {by}"
    for at, group in [(-1, rest), *enumerate(groups)]:
        of = named == at
        if of.any():
            tint = "#c9ccd1" if at < 0 else f"C{at}"
            text = f"{group} ({of.sum()})"
            x, y = places[of].T
            axes.scatter(x, y, s=size, c=tint, linewidths=0, label=text, rasterized=True)
    axes.set(xticks=[], yticks=[], aspect="equal")
    figure.legend(loc="outside right upper", frameon=False, fontsize=8, markerscale=6 / size**0.5)
    return _png(figure, axes, f"{len(rows):,} media by {encoder}, coloured by {by}")


def pruning(conn: psycopg.Connection[Any], pruning_ids: Sequence[int]) -> bytes:
    """What plans cover at each fraction kept: how far the nearest kept is."""
    curves = {one: pruning_curve.read(conn, one) for one in pruning_ids}
    names = {one: f"{one}: {find_pruning(conn, one).method}" for one in pruning_ids}
    if not any(point.n_probes for points in curves.values() for point in points):
        return _nothing("no coverage was measured: there were no vectors")
    figure, axes = _figure(6.4, 3.6)
    for one, points in curves.items():
        measured = [
            (p.keep, p.mean_distance, p.p95_distance) for p in points if p.mean_distance is not None
        ]
        keeps, means, p95 = np.array(measured, np.float64).reshape(-1, 3).T
        (line,) = axes.plot(keeps, means, "o-", markersize=3, label=names[one])
        axes.plot(keeps, p95, ":", color=line.get_color(), linewidth=1)
    axes.set_xscale("log")
    axes.invert_xaxis()
    axes.set(xlabel="fraction kept", ylabel="cosine distance to the nearest kept")
    axes.set_ylim(bottom=0)
    axes.legend(frameon=False, fontsize=8)
    return _png(figure, axes, "what is left: mean (dotted: 95th percentile)")


def contact_sheet(
    pictures: Sequence[bytes | Image.Image | None],
    captions: Sequence[str] = (),
    *,
    columns: int = 8,
    size: int = 96,
) -> bytes:
    """Pictures in rows, each fitted into ``size`` pixels, small ones enlarged, captions below.

    A picture is the bytes of a file or of Pillow; None (its file is gone) leaves a grey field.
    """
    from PIL import Image, ImageDraw

    if captions and len(captions) != len(pictures):
        raise InvalidInput(f"{len(captions)} captions for {len(pictures)} pictures")
    if not pictures:
        return _nothing("there are no pictures to show")
    columns = min(columns, len(pictures))
    below = 14 * (1 + max(text.count("\n") for text in captions)) if captions else 0
    n_rows = -(-len(pictures) // columns)
    width, height = size + 8, size + 8 + below
    sheet = Image.new("RGB", (columns * width, n_rows * height), "white")
    draw, font = ImageDraw.Draw(sheet), _font()
    for at, picture in enumerate(pictures):
        left, top = 4 + at % columns * width, 4 + at // columns * height
        fitted = _fitted(picture, size)
        sheet.paste(fitted, (left + (size - fitted.width) // 2, top + (size - fitted.height) // 2))
        if captions:
            lines = [_clipped(line, font, size + 4) for line in captions[at].split("\n")]
            draw.multiline_text((left, top + size + 2), "\n".join(lines), "black", font, spacing=2)
    out = io.BytesIO()
    sheet.save(out, "PNG")
    return out.getvalue()


def _fitted(picture: bytes | Image.Image | None, size: int) -> Image.Image:
    from PIL import Image

    from smartdb import images

    if picture is None:
        return Image.new("RGB", (size, size), "#d8dadd")
    image = images.load_rgb(picture) if isinstance(picture, bytes) else picture.convert("RGB")
    scale = size / max(image.size)
    kind = Image.Resampling.NEAREST if scale > 2 else Image.Resampling.LANCZOS
    return image.resize(
        (max(1, round(image.width * scale)), max(1, round(image.height * scale))), kind
    )


def _font() -> ImageFont.FreeTypeFont:
    """The font of matplotlib, which has arrows and letters of many languages."""
    needs("matplotlib", "a contact sheet", "pipelines")
    import matplotlib
    from PIL import ImageFont

    return ImageFont.truetype(f"{matplotlib.get_data_path()}/fonts/ttf/DejaVuSans.ttf", 10)


def _clipped(text: str, font: Any, width: int) -> str:
    if font.getlength(text) <= width:
        return text
    while text and font.getlength(text + "…") > width:
        text = text[:-1]
    return text + "…"


def _figure(width: float, height: float) -> tuple[Figure, Axes]:
    needs("matplotlib", "a plot", "pipelines")
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), dpi=110, layout="constrained")
    return figure, figure.subplots()


def _png(figure: Figure, axes: Axes, title: str) -> bytes:
    axes.set_title(title, fontsize=10, loc="left")
    axes.tick_params(labelsize=8)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    out = io.BytesIO()
    figure.savefig(out, format="png", metadata={"Software": None})
    return out.getvalue()


def _nothing(text: str) -> bytes:
    figure, axes = _figure(5, 0.8)
    axes.axis("off")
    axes.text(0, 0.5, text, va="center", color=_GREY)
    return _png(figure, axes, "")


def _wide(names: Sequence[str]) -> bool:
    return max(map(len, names)) > 3
