"""Reaching the hub that holds pretrained weights, or knowing in seconds that it is not there."""

from __future__ import annotations

import socket
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Thread

SECONDS = 5.0
"""How long the hub may take to answer at all."""

_STALLED = 30.0


@contextmanager
def reachable_or_cached() -> Iterator[bool]:
    """Whether the hub answers; if not, only its cache is used inside, so nothing waits or retries.

    (tried: with a hub that swallows packets, huggingface_hub waits 10 s a file and open_clip asks
    for several files; a plain download has no limit at all.)
    """
    from huggingface_hub import constants

    offline, timeout = constants.HF_HUB_OFFLINE, socket.getdefaulttimeout()
    there = not offline and answers(constants.ENDPOINT)
    constants.HF_HUB_OFFLINE = not there
    socket.setdefaulttimeout(_STALLED if there else SECONDS)
    try:
        yield there
    finally:
        constants.HF_HUB_OFFLINE = offline
        socket.setdefaulttimeout(timeout)


def name() -> str:
    """The hub's address (HF_ENDPOINT)."""
    from huggingface_hub import constants

    return str(constants.ENDPOINT)


def answers(url: str) -> bool:
    """Whether anything answers at this address within `SECONDS`, name lookup included."""
    answered: list[bool] = []
    thread = Thread(target=lambda: answered.append(_answers(url, SECONDS)), daemon=True)
    thread.start()
    thread.join(SECONDS)
    return answered == [True]


def _answers(url: str, seconds: float) -> bool:
    try:
        urllib.request.urlopen(urllib.request.Request(url, method="HEAD"), timeout=seconds).close()
        return True
    except urllib.error.HTTPError as error:
        return error.code < 500  # a proxy in between that gets no answer says 502, 503 or 504
    except (OSError, ValueError):
        return False
