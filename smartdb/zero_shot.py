"""Zero-shot: the class whose description lies nearest to the picture, by an encoder with a text
tower, as CLIP classifies (Radford et al. 2021): the texts of a class are several templates around
its name, their mean is the class, and a softmax of the cosines tells how sure one may be.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import psycopg
from numpy.typing import NDArray

from smartdb import bulk, embeddings, ontology, prompts
from smartdb.embeddings import Registered
from smartdb.errors import InvalidInput, NothingToDo
from smartdb.proposals import Proposals
from smartdb.statements import statement

Connection = psycopg.Connection[Any]
Floats = NDArray[np.float32]

TEMPLATES = (
    "a photo of a {}.", "a blurry photo of a {}.", "a close-up photo of a {}.",
    "a photo of many {}.", "a photo of the large {}.", "a photo of the small {}.",
    "itap of a {}.", "a cropped photo of a {}.",
)  # fmt: skip
"""Contexts of a class name, a selection of those published with CLIP."""

SCALE = 100.0
"""Of the cosines before the softmax: the largest that CLIP learns, and what it ends with."""

_ROWS = 65_536


def propose(
    conn: Connection,
    ontology_name: str,
    encoder_name: str | None = None,
    *,
    templates: Sequence[str] = TEMPLATES,
    names: Mapping[str, str] | None = None,
    scale: float = SCALE,
    device: str = "cpu",
) -> Proposals:
    """The likeliest class of each media with a vector, and its probability.

    The classes are the leaves of the ontology; ``names`` says in words what a class is, where its
    name does not ("T_shirt": "t-shirt"). Texts are saved as prompts (smartdb.prompt) and not
    computed again, so the encoder is only loaded for new ones. It commits. InvalidInput for a
    template without {}, a name of no class, fewer than two classes, or an encoder without a text
    tower; NothingToDo without vectors.
    """
    encoder = embeddings.find(conn, encoder_name)
    words = _words(conn, ontology_name, names or {})
    texts = _texts(words, templates)
    _save(conn, encoder, [text for some in texts.values() for text in some], device)
    classes = np.stack([_mean(conn, encoder, some) for some in texts.values()])
    ids, vectors = embeddings.read_vectors(conn, encoder.name)
    conn.commit()
    if not len(ids):
        raise NothingToDo(f"encoder {encoder.name!r} has no vectors yet; run: smartdb embed")
    top, confidence = _classified(vectors, classes, scale)
    class_ids = ontology.ids(conn, ontology_name, list(words))
    conn.commit()
    return Proposals(
        actor=f"zero-shot {encoder.name}",
        ontology=ontology_name,
        media_ids=ids,
        class_ids=np.array([class_ids[name] for name in words], np.int64)[top],
        confidence=confidence,
        parameters={"method": "zero-shot", "encoder": encoder.name, "texts": texts, "scale": scale},
    )


def _words(conn: Connection, name: str, names: Mapping[str, str]) -> dict[str, str]:
    """What each leaf of the ontology is, in words."""
    known = ontology.classes(conn, name)
    parents = {each.parent for each in known}
    leaves = [each.name for each in known if each.name not in parents]
    if strangers := names.keys() - set(leaves):
        raise InvalidInput(f"no leaf classes of {name!r}: {', '.join(sorted(strangers))}")
    if len(leaves) < 2:
        raise InvalidInput(f"ontology {name!r} has {len(leaves)} leaf classes; it takes two")
    return {leaf: names.get(leaf, leaf.replace("_", " ")) for leaf in leaves}


def _texts(words: Mapping[str, str], templates: Sequence[str]) -> dict[str, list[str]]:
    if not templates or any("{}" not in each for each in templates):
        raise InvalidInput(f"a template says where the name goes, such as {TEMPLATES[0]!r}")
    return {name: [each.replace("{}", word) for each in templates] for name, word in words.items()}


def _save(conn: Connection, encoder: Registered, texts: Sequence[str], device: str) -> None:
    saved = {row["text"] for row in prompts.saved_prompts(conn, encoder.name)}
    new = [text for text in texts if text not in saved]
    if new:
        conn.commit()
        prompts.add(conn, embeddings.resolve(conn, encoder.name, device=device), new)
        conn.commit()


def _mean(conn: Connection, encoder: Registered, texts: Sequence[str]) -> Floats:
    """The mean direction of texts (d,)."""
    values = {"encoder_id": encoder.encoder_id, "texts": list(texts)}
    _, vectors = bulk.read_vectors(conn, statement("prompts", "vectors"), values)
    mean = vectors.mean(axis=0)
    return np.asarray(mean / max(float(np.linalg.norm(mean)), 1e-12), np.float32)


def _classified(vectors: Floats, classes: Floats, scale: float) -> tuple[NDArray[np.int64], Floats]:
    """The place of the likeliest class of each vector (n,), and its probability (n,) float32."""
    top, sure = np.zeros(len(vectors), np.int64), np.zeros(len(vectors), np.float32)
    for at in range(0, len(vectors), _ROWS):
        some = slice(at, at + _ROWS)
        cosines = (vectors[some] @ classes.T).astype(np.float64)
        odds = np.exp(scale * (cosines - cosines.max(axis=1, keepdims=True)))
        top[some], sure[some] = cosines.argmax(axis=1), 1 / odds.sum(axis=1)
    return top, sure
