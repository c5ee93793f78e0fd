"""Throwaway keys and certificates, made with the `openssl` command: no package that everybody has can make them."""

from __future__ import annotations

import ssl
import subprocess
import tempfile
from pathlib import Path

_SELF_SIGNED = ("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "30",
                "-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1,DNS:localhost")  # fmt: skip


class MissingError(OSError):
    """There is no usable `openssl` command here."""


def openssl(*arguments: str, given: str = "") -> str:
    """What the command says. Raises MissingError when it is not there, or fails."""
    try:
        done = subprocess.run(["openssl", *arguments], input=given, capture_output=True, text=True, check=False)  # noqa: S603, S607
    except FileNotFoundError:
        raise MissingError("this sandbox needs the openssl command for keys and certificates; install OpenSSL") from None
    if done.returncode:
        said = (done.stderr.strip().splitlines() or ["nothing was said"])[-1]
        raise MissingError(f"openssl {arguments[0]} -> {said}")
    return done.stdout


def self_signed() -> tuple[ssl.SSLContext, tempfile.TemporaryDirectory[str], Path]:
    """A server's context for 127.0.0.1 and localhost, the folder to keep meanwhile, and the certificate to trust in it."""
    folder = tempfile.TemporaryDirectory(prefix="sandbox-tls-")
    certificate, key = Path(folder.name, "ca.pem"), Path(folder.name, "key.pem")
    openssl(*_SELF_SIGNED, "-keyout", str(key), "-out", str(certificate))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    return context, folder, certificate
