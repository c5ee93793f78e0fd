"""Throwaway keys and certificates, made with the `openssl` command: no package that everybody has can make them."""

from __future__ import annotations

import shutil
import ssl
import subprocess
import tempfile
import weakref
from dataclasses import dataclass
from pathlib import Path

_SELF_SIGNED = ("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "30",
                "-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1,DNS:localhost", "-addext", "keyUsage=critical,digitalSignature,keyCertSign")  # fmt: skip


class MissingError(OSError):
    """There is no usable `openssl` command here."""


def openssl(*arguments: str, given: str = "") -> str:
    """What the command says. Raises MissingError when it is not there, or fails."""
    try:
        done = subprocess.run(["openssl", *arguments], input=given, capture_output=True, text=True, check=False)  # noqa: S603, S607
    except FileNotFoundError:
        raise MissingError(
            "this sandbox needs the openssl command for keys and certificates; install OpenSSL"
        ) from None
    if done.returncode:
        said = (done.stderr.strip().splitlines() or ["nothing was said"])[-1]
        raise MissingError(f"openssl {arguments[0]} -> {said}")
    return done.stdout


@dataclass(frozen=True)
class SelfSigned:
    """A server's side of TLS, and the certificate that its clients have to trust."""

    context: ssl.SSLContext
    certificate: Path


def self_signed() -> SelfSigned:
    """TLS for 127.0.0.1 and localhost. The certificate is gone with what is returned. Raises MissingError."""
    folder = Path(tempfile.mkdtemp(prefix="sandbox-tls-"))
    certificate, key = folder / "ca.pem", folder / "key.pem"
    made = SelfSigned(ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), certificate)
    weakref.finalize(made, shutil.rmtree, folder, ignore_errors=True)
    openssl(*_SELF_SIGNED, "-keyout", str(key), "-out", str(certificate))
    made.context.load_cert_chain(certificate, key)
    return made
