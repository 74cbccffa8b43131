"""Other places of files: whatever scheme fsspec knows (ftp, sftp, hdfs, hf, github, ...)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote, urlsplit

from smartdb.errors import InvalidInput, NotFound, StoreFailed
from smartdb.walk import EPOCH, Found

_TIMES = ("mtime", "modified", "last_modified", "LastModified", "created")
_TAGS = ("ETag", "etag", "checksum", "sha", "oid")


def listing(root: str) -> Iterator[Found]:
    """Every file below a URI, one folder at a time; a folder that cannot be listed comes as a
    `Found` with a problem."""
    system, path = _opened(root)
    failed: list[tuple[str, str]] = []
    try:
        for _, _, files in system.walk(
            path, detail=True, on_error=lambda error: failed.append((path, str(error)))
        ):
            for info in sorted(files.values(), key=lambda each: str(each["name"])):
                yield _found(f"{root}/{_below(path, info)}", info)
    except OSError as error:
        raise StoreFailed(f"cannot list {root}: {error}; check the address") from error
    for folder, said in failed:
        yield Found(b"", root, None, None, f"{folder} cannot be listed: {said}")


def look(uri: str) -> Found:
    """The file as it is now; one with a problem if it cannot be looked at."""
    system, path = _opened(uri)
    try:
        return _found(uri, system.info(path))
    except Exception as error:  # each file system has its own
        return Found(b"", uri, None, None, f"cannot be looked at: {error}")


def read(uri: str) -> bytes:
    """Its bytes; NotFound (``reason`` missing or unreadable) if they cannot be had."""
    system, path = _opened(uri)
    try:
        return bytes(system.cat_file(path))
    except FileNotFoundError as error:
        raise NotFound(f"there is no {uri}; ingest its folder again") from error
    except Exception as error:  # each file system has its own
        raise NotFound(f"cannot read {uri}: {error}", reason="unreadable") from error


def write_new(uri: str, data: bytes) -> None:
    """Writes a file beside its place and moves it there, unless it is there already."""
    system, path = _opened(uri)
    if system.exists(path):
        return
    try:
        system.makedirs(path.rpartition("/")[0], exist_ok=True)
        system.pipe_file(f"{path}.part", data)
        system.mv(f"{path}.part", path)
    except Exception as error:  # each file system has its own
        raise StoreFailed(f"cannot write {uri}: {error}") from error


def put(uri: str, data: bytes | Path) -> None:
    """Writes a file beside its place and moves it there; one that is there is replaced."""
    system, path = _opened(uri)
    try:
        system.makedirs(path.rpartition("/")[0], exist_ok=True)
        if isinstance(data, bytes):
            system.pipe_file(f"{path}.part", data)
        else:
            system.put_file(str(data), f"{path}.part")
        system.mv(f"{path}.part", path)
    except Exception as error:  # each file system has its own
        raise StoreFailed(f"cannot write {uri}: {error}") from error


def is_empty(root: str) -> bool:
    """Whether no file lies below a URI."""
    system, path = _opened(root)
    return not system.exists(path) or not system.find(path, maxdepth=None)


def remove(uri: str) -> None:
    """Deletes a file; nothing happens if there is none."""
    system, path = _opened(uri)
    if system.exists(path):
        system.rm_file(path)


def _opened(uri: str) -> tuple[Any, str]:
    """The file system, and the path as it names files."""
    scheme = urlsplit(uri).scheme
    try:
        import fsspec
    except ImportError as error:
        raise InvalidInput(
            f"{scheme}:// needs fsspec; run: pip install 'smartdb[stores]'"
        ) from error
    try:
        system, path = fsspec.core.url_to_fs(unquote(uri))
    except (ValueError, ImportError) as error:
        raise InvalidInput(f"cannot open {uri}: {error}") from error
    return system, str(path)


def _found(uri: str, info: dict[str, Any]) -> Found:
    etag = next((str(info[name]) for name in _TAGS if info.get(name)), None)
    return Found(b"", uri, int(info.get("size") or 0), _time(info), etag=etag)


def _below(path: str, info: dict[str, Any]) -> str:
    """The name of a file below the folder that was listed, percent-encoded."""
    return quote(str(info["name"])[len(path.rstrip("/")) :].lstrip("/"), safe="/")


def _time(info: dict[str, Any]) -> datetime:
    """When it was modified, if the file system says so; else 1970."""
    found = next((info[name] for name in _TIMES if info.get(name)), None)
    if isinstance(found, datetime):
        return found if found.tzinfo else found.replace(tzinfo=UTC)
    if isinstance(found, int | float):
        return datetime.fromtimestamp(found, UTC)
    try:
        return datetime.fromisoformat(str(found)).astimezone(UTC)
    except ValueError:
        return EPOCH
