"""Fixtures of the tests of Sourcing: label sets, an S3 store on 127.0.0.1, one that stumbles."""

from __future__ import annotations

import http.client
import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from smartdb import objects
from smartdb.formats import png

from .reading import Make


@pytest.fixture
def make(tmp_path: Path) -> Make:
    """A function that makes a folder by name: texts, bytes, JSON of dicts, masks as PNG, and of
    (width, height) a picture."""

    def made(content: dict[str, Any]) -> Path:
        for name, value in content.items():
            path = tmp_path / "set" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            if isinstance(value, tuple):
                Image.new("1", value).save(path)
            else:
                path.write_bytes(_bytes(value))
        return tmp_path / "set"

    return made


def _bytes(value: Any) -> bytes:
    if isinstance(value, np.ndarray):
        return png.to_png(value)
    if isinstance(value, dict):
        value = json.dumps(value)
    return value if isinstance(value, bytes) else value.encode()


@dataclass
class Bucket:
    """A bucket, with its files by key."""

    name: str
    client: Any

    def put(self, key: str, data: bytes) -> None:
        """Writes an object."""
        self.client.put_object(Bucket=self.name, Key=key, Body=data)

    def get(self, key: str) -> bytes:
        """Its bytes."""
        return bytes(self.client.get_object(Bucket=self.name, Key=key)["Body"].read())

    def delete(self, key: str) -> None:
        """Deletes an object."""
        self.client.delete_object(Bucket=self.name, Key=key)

    def empty(self) -> None:
        """Deletes all objects."""
        for key in self.keys():
            self.delete(key)

    def keys(self) -> list[str]:
        """The keys, in order."""
        found = self.client.list_objects_v2(Bucket=self.name)
        return [each["Key"] for each in found.get("Contents", [])]


@pytest.fixture(scope="session")
def s3_server() -> Iterator[str]:
    """The URL of moto's S3 on 127.0.0.1."""
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def s3(s3_server: str, monkeypatch: pytest.MonkeyPatch, request: Any) -> Bucket:
    """An empty bucket, whose endpoint and credentials are in the environment."""
    import boto3

    settings = {
        "AWS_ENDPOINT_URL": s3_server,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_REGION": "us-east-1",
        "AWS_DEFAULT_REGION": "us-east-1",
    }
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    objects.forget()
    client = boto3.client("s3", endpoint_url=s3_server)
    name = f"bucket-{abs(hash(request.node.nodeid)) % 10**9}"
    client.create_bucket(Bucket=name)
    return Bucket(name, client)


@dataclass
class Flaky:
    """A proxy that answers the first requests of each kind and path with a failure."""

    url: str
    fail: Callable[[str, int], str | None] = lambda _path, _n: None
    """From a path and how often it was asked for before: None, 503 or cut."""
    asked: dict[str, int] = field(default_factory=dict)


@pytest.fixture
def flaky(s3: Bucket, s3_server: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Flaky]:
    """The store behind a proxy that fails as it is told to; the environment names the proxy."""
    state = Flaky("")
    upstream = s3_server.removeprefix("http://")

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_: Any) -> None:
            pass

        def _pass_on(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            body = self.rfile.read(length)
            n = state.asked.get(self.path, 0)
            state.asked[self.path] = n + 1
            how = state.fail(self.path, n)
            if how == "503":
                self.send_response(503)
                self.send_header("Content-Length", "0")
                self.end_headers()
                return
            conn = http.client.HTTPConnection(upstream)
            conn.request(self.command, self.path, body, dict(self.headers))
            answer = conn.getresponse()
            data = answer.read()
            conn.close()
            self.send_response(answer.status)
            for name, value in answer.getheaders():
                if name.lower() not in ("content-length", "transfer-encoding", "connection"):
                    self.send_header(name, value)
            size = int(answer.getheader("Content-Length") or len(data))
            self.send_header("Content-Length", str(size if self.command == "HEAD" else len(data)))
            self.end_headers()
            self.wfile.write(data[: len(data) // 2] if how == "cut" else data)
            if how == "cut":
                self.close_connection = True

        do_GET = do_PUT = do_HEAD = do_DELETE = _pass_on  # noqa: N815

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    state.url = f"http://127.0.0.1:{server.server_port}"
    monkeypatch.setenv("AWS_ENDPOINT_URL", state.url)
    objects.forget()
    yield state
    server.shutdown()
    server.server_close()
    objects.forget()
