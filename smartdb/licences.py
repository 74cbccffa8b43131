"""Licences: SPDX expressions, as the list in the library ``packaging`` knows them."""

from __future__ import annotations

from difflib import get_close_matches

from smartdb.errors import InvalidInput


def checked(licence: str) -> str:
    """The licence as SPDX writes it, such as CC-BY-4.0; InvalidInput with the nearest if unknown.

    Expressions (``MIT OR CC0-1.0``) are valid, and so is any licence of one's own as
    ``LicenseRef-`` and a name.

    >>> checked("cc-by-4.0")
    'CC-BY-4.0'
    """
    from packaging.licenses import InvalidLicenseExpression, canonicalize_license_expression

    try:
        return str(canonicalize_license_expression(licence))
    except InvalidLicenseExpression:
        raise InvalidInput(
            f"licence {licence!r} is not on the SPDX list {list_version()}{_nearest(licence)}; "
            "for one of your own write LicenseRef-NAME, see https://spdx.org/licenses"
        ) from None


def list_version() -> str:
    """Version of the SPDX licence list that is asked."""
    from packaging.licenses import _spdx

    return _spdx.VERSION


def _nearest(licence: str) -> str:
    """A question after what was meant, if anything is near."""
    from packaging.licenses import _spdx

    wanted = "-".join(licence.lower().split())
    found = get_close_matches(wanted, _spdx.LICENSES, n=1, cutoff=0.7)
    return f" (did you mean {_spdx.LICENSES[found[0]]['id']}?)" if found else ""
