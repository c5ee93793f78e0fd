"""A small threaded HTTP/1.1 server that keeps connections alive and can fail on request."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
import traceback
from email.utils import formatdate
from http import HTTPStatus
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Self

from antiphon.sandbox.emulator import Emulator
from antiphon.sandbox.exchange import Request, Response, json_response
from antiphon.sandbox.openssl import self_signed

MAX_LINE = 1 << 17
MAX_BODY = 160 << 20
PIECE = 1 << 20
"""Bytes of a file that are read and sent at once."""
REASONS = {status.value: status.phrase for status in HTTPStatus}


class _Malformed(Exception):
    """The bytes that arrived are no request this server understands."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class Server:
    """An emulator on a port of 127.0.0.1, served from threads of this process until `stop`.

    A context manager. `config` is a valid plugin config; `app` is the emulator, to look into and to steer. With `tls`
    it speaks https, and the config has the certificate to trust as `ca_bundle`.
    """

    def __init__(self, app: Emulator, port: int = 0, *, tls: bool = False) -> None:
        self.app = app
        self._tls = self_signed() if tls else None
        self._listener = socket.create_server(("127.0.0.1", port), backlog=128)
        self.port: int = self._listener.getsockname()[1]
        self.url = f"{'https' if tls else 'http'}://127.0.0.1:{self.port}"
        app.url = self.url
        self._stopping = threading.Event()
        self._open: set[socket.socket] = set()
        self._accepting = threading.Thread(target=self._accept, name=f"sandbox-{app.name}", daemon=True)
        self._accepting.start()

    @property
    def config(self) -> dict[str, Any]:
        """The plugin config with which a client reaches this server now."""
        config = self.app.config(self.url)
        return config if self._tls is None else {**config, "ca_bundle": str(self._tls.certificate)}

    def stop(self) -> None:
        """Close every connection. May be called twice."""
        if self._stopping.is_set():
            return
        self._stopping.set()
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), timeout=1):
            pass  # wakes the accepting thread
        self._accepting.join(timeout=2)
        self._listener.close()
        for connection in list(self._open):
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self.stop()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            if self._stopping.is_set():
                connection.close()
                return
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        try:
            if self._tls is not None:
                connection = self._tls.context.wrap_socket(connection, server_side=True)
            self._open.add(connection)
            with connection, connection.makefile("rb") as stream:
                while not self._stopping.is_set() and self._exchange(connection, stream):
                    pass
        except OSError:
            pass  # the client went away
        finally:
            self._open.discard(connection)

    def _exchange(self, connection: socket.socket, stream: BinaryIO) -> bool:
        """Read one request and answer it. Whether the connection stays open."""
        try:
            request = _read(connection, stream)
        except _Malformed as error:
            connection.sendall(_encoded(json_response(error.status, {"message": str(error)}), close=True))
            return False
        if request is None:
            return False
        if self.app.latency_ms:
            time.sleep(self.app.latency_ms / 1000)
        try:
            response = self.app.handle(request)
        except Exception:  # noqa: BLE001 - a fault of the emulator's own: show it here, and let the client go on
            traceback.print_exc()
            response = json_response(500, {"status": "error", "message": "the sandbox itself failed; see its stderr"})
        if response.drop or (response.cut and not response.body and response.file is None):
            self._stopping.wait(response.stall)
            return False
        close = request.headers.get("connection", "").lower() == "close"
        if response.file is not None:
            _send_file(connection, response, response.file, close=close)
            return not (close or response.cut)
        payload = _encoded(response, close=close or response.cut)
        if response.cut:
            payload = payload[: len(payload) - (len(response.body) + 1) // 2]
        connection.sendall(payload)
        return not (close or response.cut)


def _read(connection: socket.socket, stream: BinaryIO) -> Request | None:
    line = stream.readline(MAX_LINE)
    if not line:
        return None
    if not line.endswith(b"\n"):
        raise _Malformed(414, "the request line is too long")
    try:
        method, target, _ = line.decode("latin-1").split()
    except ValueError:
        raise _Malformed(400, "the request line is malformed") from None
    headers: dict[str, str] = {}
    while (line := stream.readline(MAX_LINE)) not in {b"\r\n", b"\n"}:
        if not line:
            return None
        name, _, value = line.decode("latin-1").partition(":")
        headers[name.strip().lower()] = value.strip()
    length = headers.get("content-length", "0")
    if not length.isdigit() or int(length) > MAX_BODY:
        raise _Malformed(413 if length.isdigit() else 400, "the Content-Length is not acceptable")
    if headers.get("expect", "").lower() == "100-continue":
        connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
    if "transfer-encoding" in headers:
        return Request(method, target, headers, _chunked(stream))
    body = stream.read(int(length))
    return Request(method, target, headers, body) if len(body) == int(length) else None  # the client went away


def _chunked(stream: BinaryIO) -> bytes:
    """A body that comes in pieces, each with its length before it (RFC 9112, 7.1)."""
    pieces: list[bytes] = []
    while True:
        try:
            size = int(stream.readline(MAX_LINE).partition(b";")[0], 16)
        except ValueError:
            raise _Malformed(400, "the length of a chunk is malformed") from None
        if size + sum(map(len, pieces)) > MAX_BODY:
            raise _Malformed(413, "the body is too long")
        pieces.append(stream.read(size))
        while (line := stream.readline(MAX_LINE)) not in {b"\r\n", b"\n", b""}:
            if size:
                raise _Malformed(400, "a chunk is longer than it said")
        if not size or not line:
            return b"".join(pieces)


def _send_file(connection: socket.socket, response: Response, path: Path, *, close: bool) -> None:
    """Send a body from a file, half of it when it is to be cut."""
    left = path.stat().st_size
    connection.sendall(_encoded(response, close=close or response.cut, length=left))
    left //= 2 if response.cut else 1
    with path.open("rb") as source:
        while left > 0 and (piece := source.read(min(left, PIECE))):
            connection.sendall(piece)
            left -= len(piece)


def _encoded(response: Response, *, close: bool, length: int | None = None) -> bytes:
    head = [f"HTTP/1.1 {response.status} {REASONS.get(response.status, 'Status')}", f"Date: {formatdate(usegmt=True)}"]
    head += [f"{name}: {value}" for name, value in response.headers.items()]
    if response.status != HTTPStatus.NO_CONTENT:
        head.append(f"Content-Length: {len(response.body) if length is None else length}")
    if close:
        head.append("Connection: close")
    return "\r\n".join([*head, "", ""]).encode("latin-1") + response.body
