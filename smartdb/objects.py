"""Object stores: s3://, gs://, az://, http(s)://, through obstore; URIs are percent-encoded.

Credentials, regions and endpoints come from the environment, as each store's own tools read them:
AWS_ACCESS_KEY_ID, AWS_ENDPOINT_URL, GOOGLE_APPLICATION_CREDENTIALS, AZURE_STORAGE_ACCOUNT_NAME, ...
Requests that fail with 5xx or a cut connection are repeated, each time after a longer pause.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import timedelta
from functools import lru_cache, partial
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import quote, unquote, urlsplit

from smartdb.errors import AccessDenied, InvalidInput, NotFound, SmartdbError, StoreFailed
from smartdb.prefetch import in_turn
from smartdb.walk import Found

T = TypeVar("T")
Meta = Any

SCHEMES = frozenset(("s3", "s3a", "gs", "az", "azure", "adl", "abfs", "abfss", "http", "https"))

PAGE = 1000
"""Objects that a store lists at once."""

SECONDS = 45.0
"""How long one request is repeated."""

_TRIES = 4  # of a read whose connection was cut in the middle
_FOLDERS_AT_ONCE = 8


def listing(root: str) -> Iterator[Found]:
    """Every object below a URI, as the store lists them; a folder with a name that cannot be used
    comes as a `Found` with a problem.

    The folders of a large store are listed side by side, some pages ahead of who takes them.
    """
    store, prefix = _store(root), _key(root)
    pages = _pages(store, prefix)
    first = _tried(root, lambda: _first(pages))
    if first is not None and (len(first) < PAGE or any(_is_direct(e, prefix) for e in first)):
        yield from (_found(root, each) for each in first)
        yield from _all(root, [(root, lambda: pages)])
        return
    top = _tried(root, lambda: _obstore().list_with_delimiter(store, prefix or None))
    yield from (_found(root, each) for each in top["objects"])
    folders = sorted(top["common_prefixes"])
    yield from _all(root, [(_uri(root, f), partial(_pages, store, f)) for f in folders])


def look(uri: str) -> Found:
    """The object as it is now; one with a problem if it cannot be looked at."""
    try:
        return _found(uri, _tried(uri, lambda: _obstore().head(_store(uri), _key(uri))))
    except SmartdbError as error:
        return Found(b"", uri, None, None, str(error))


def read(uri: str) -> bytes:
    """Its bytes; NotFound (``reason`` missing or unreadable) if they cannot be had."""
    for attempt in range(_TRIES):
        try:
            got = _tried(uri, lambda: _obstore().get(_store(uri), _key(uri)).bytes())
            return bytes(got)
        except StoreFailed as error:
            if attempt == _TRIES - 1:
                raise NotFound(str(error), reason="unreadable") from error
            time.sleep(0.1 * 4**attempt)
        except AccessDenied as error:
            raise NotFound(str(error), reason="unreadable") from error
    raise AssertionError


def write_new(uri: str, data: bytes) -> None:
    """Writes an object in one step, unless there is one of that name already."""
    exists = _obstore().exceptions.AlreadyExistsError
    try:
        _tried(uri, lambda: _obstore().put(_store(uri), _key(uri), data, mode="create"))
    except SmartdbError as error:
        if not isinstance(error.__cause__, exists):
            raise


def put(uri: str, data: bytes | Path) -> None:
    """Writes an object in one step; one that is there is replaced."""
    _tried(uri, lambda: _obstore().put(_store(uri), _key(uri), data))


def is_empty(root: str) -> bool:
    """Whether no object lies below a URI."""
    prefix = _key(root)
    return not _tried(root, lambda: next(_pages(_store(root), prefix), []))


def remove(uri: str) -> None:
    """Deletes an object; nothing happens if there is none."""
    with suppress(NotFound):
        _tried(uri, lambda: _obstore().delete(_store(uri), _key(uri)))


def forget() -> None:
    """Opens stores anew, with what the environment says now."""
    _opened.cache_clear()


def _all(
    root: str, folders: list[tuple[str, Callable[[], Iterator[list[Meta]]]]]
) -> Iterator[Found]:
    from obstore.exceptions import InvalidPathError

    for folder, page in in_turn(folders, at_once=_FOLDERS_AT_ONCE):
        if isinstance(page, InvalidPathError):
            problem = f"cannot be listed: {str(page).splitlines()[0]}"
            yield Found(b"", folder, None, None, problem)
        elif isinstance(page, Exception):
            raise _error(folder, page) from page
        else:
            yield from (_found(root, each) for each in page)


def _first(pages: Iterator[list[Meta]]) -> list[Meta] | None:
    """The first page; None if there is a name in it that cannot be used."""
    from obstore.exceptions import InvalidPathError

    try:
        return next(pages, [])
    except InvalidPathError:
        return None


def _pages(store: Any, prefix: str) -> Iterator[list[Meta]]:
    return iter(_obstore().list(store, prefix or None, chunk_size=PAGE))


def _found(uri: str, meta: Meta) -> Found:
    at = _uri(uri, meta["path"])
    return Found(b"", at, meta["size"], meta["last_modified"], etag=meta["e_tag"])


def _is_direct(meta: Meta, prefix: str) -> bool:
    return "/" not in str(meta["path"])[len(prefix) :].lstrip("/")


def _uri(uri: str, path: str) -> str:
    return f"{_bucket(uri)}/{quote(path, safe='/')}"


def _key(uri: str) -> str:
    return unquote(urlsplit(uri).path).strip("/")


def _bucket(uri: str) -> str:
    parts = urlsplit(uri)
    return f"{parts.scheme}://{parts.netloc}"


def _store(uri: str) -> Any:
    return _opened(_bucket(uri))


@lru_cache(maxsize=64)
def _opened(bucket: str) -> Any:
    _obstore()
    from obstore.store import from_url

    return _tried(
        bucket,
        lambda: from_url(
            bucket,
            client_options={"allow_http": True, "timeout": timedelta(seconds=SECONDS)},
            retry_config={"max_retries": 8, "retry_timeout": timedelta(seconds=SECONDS)},
        ),
    )


def _obstore() -> Any:
    try:
        import obstore
        import obstore.exceptions
    except ImportError as error:
        raise InvalidInput(
            "files in object stores need obstore; run: pip install 'smartdb[stores]'"
        ) from error
    return obstore


def _tried(uri: str, work: Callable[[], T]) -> T:
    try:
        return work()
    except SmartdbError:
        raise
    except Exception as error:
        raise _error(uri, error) from error


def _error(uri: str, error: Exception) -> SmartdbError:
    """What an error of obstore means, in one line."""
    from obstore import exceptions as known

    said = str(error)
    first = " ".join(said.splitlines()[0].split()) if said else type(error).__name__
    if isinstance(error, FileNotFoundError | known.NotFoundError):
        return NotFound(f"there is no {uri}; ingest its folder again")
    if "NoSuchBucket" in said or "NoSuchContainer" in said or "ContainerNotFound" in said:
        return InvalidInput(f"no such bucket: {_bucket(uri)}; check its name")
    if isinstance(
        error, known.PermissionDeniedError | known.UnauthenticatedError | PermissionError
    ):
        return AccessDenied(f"the store refuses {uri}; check the credentials in the environment")
    if uri.startswith("http") and ("PROPFIND" in said or "405" in said or "501" in said):
        return InvalidInput(
            f"the server of {uri} lists no files (it speaks no WebDAV); name them in a manifest"
        )
    return StoreFailed(f"{uri}: {first}; check the address and the credentials in the environment")
