"""Names of files that come out of a file, and whether they may be a path."""

from __future__ import annotations

import re
from pathlib import PurePosixPath


def leaves(name: str) -> bool:
    """Whether a name is empty, absolute, or leads out of the folder it is taken from.

    >>> [leaves(name) for name in ("a/b.jpg", "../b.jpg", "/etc/passwd", "C:\\\\b.jpg", "")]
    [False, True, True, True, True]
    """
    plain = name.replace("\\", "/")
    is_absolute = plain.startswith("/") or re.match(r"[A-Za-z]:", plain) is not None
    return not plain.strip() or "\0" in name or is_absolute or ".." in PurePosixPath(plain).parts
