"""Why a file is in quarantine: the codes of ``core.quarantine.reason``, which never change."""

from __future__ import annotations

REASONS = {
    "empty_file": "it has no bytes",
    "not_an_image": "it is named like an image and holds something else",
    "not_a_video": "it is named like a video and holds none",
    "unsupported": "a kind that cannot be read here; the detail says what to install or convert",
    "truncated": "it ends too early",
    "corrupt": "it cannot be decoded (any more)",
    "too_large": "it has too many bytes or pixels, or needs more memory than a worker may use",
    "too_slow": "decoding takes longer than a worker may take",
    "worker_died": "its decoder crashed, twice",
    "unreadable": "the file system or the store says no",
    "missing": "its bytes are gone from where they were ingested",
    "changed": "it holds other bytes than when it was ingested",
    "no_vector": "the encoder gives no vector that is finite and not zero",
    "no_place": "nothing says where its bytes lie",
    "erased": "its bytes were erased once and are not taken in again",
}
"""Code → what it means."""
