"""Mutual TLS: a client certificate, shown to the API's own hosts alone."""

from __future__ import annotations

import secrets
import ssl
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from urllib3.util import create_urllib3_context

from antiphon.adapter import Adapter
from antiphon.api import Auth, Request
from antiphon.auth.library import library
from antiphon.errors import SettingError
from antiphon.fill import fill, names, text
from antiphon.http import origin

if TYPE_CHECKING:
    from antiphon.http import Http

_PEM = "-----BEGIN "


@dataclass(frozen=True)
class Mtls(Auth):
    """A client certificate (mutual TLS), as a PEM pair or a PFX file. A token beside it: ``all``."""

    certificate: str = "{client_certificate}"
    """The path of a PEM or a PFX file, or the text of a PEM file."""
    key: str = "{client_key}"
    """The same of the private key; empty where the certificate's file holds it too."""
    passphrase: str = "{client_passphrase}"  # noqa: S105
    """What the key, or the PFX file, is encrypted with; may be empty."""
    hosts: tuple[str, ...] = ()
    """URLs of other hosts that are shown the certificate: where tokens are asked for."""

    def needs(self) -> tuple[str, ...]:
        """Return the setting that holds the certificate."""
        return tuple(sorted(names(self.certificate)))

    def heeds(self) -> tuple[str, ...]:
        """Return the settings that hold key and passphrase."""
        return tuple(sorted(names([self.key, self.passphrase])))

    def prepare(self, http: Http) -> None:
        """Have the connections to the API show the certificate.

        Raises:
            SettingError: certificate, key or passphrase are not what they should be, or the API is spoken to without TLS.
        """
        if http.notes.get("mtls") == http.base_url:
            return
        adapter = _Adapter(self._context(http))
        for url in (http.base_url, *(text(fill(host, http.settings)) for host in self.hosts)):
            if urlsplit(url).scheme != "https":
                said = f"{http.name}: a client certificate needs https, not {origin(url)}"
                raise SettingError(said, hint=f"Check {http.base_setting}.")
            for prefix in {origin(url), f"https://{urlsplit(url).netloc}"}:
                http.session.mount(f"{prefix}/", adapter)
        http.notes["mtls"] = http.base_url

    def sign(self, request: Request, http: Http) -> None:
        """Do nothing: the connection is what is signed."""

    def _context(self, http: Http) -> ssl.SSLContext:
        certificate, key, passphrase = (
            text(fill(template, http.settings)) for template in (self.certificate, self.key, self.passphrase)
        )
        context = create_urllib3_context()
        with ExitStack() as files:
            try:
                if not certificate.lstrip().startswith(_PEM) and Path(certificate).suffix.lower() in {".pfx", ".p12"}:
                    certificate, passphrase = files.enter_context(_unpacked(Path(certificate).read_bytes(), passphrase))
                    key = ""
                cert, own = _path(certificate, files), _path(key, files) if key else None
                context.load_cert_chain(cert, own, passphrase)  # without a word OpenSSL would ask the terminal
            except ssl.SSLError as error:
                raise self._wrong(http, _why(error)) from None
            except OSError as error:
                raise self._wrong(http, f"a file cannot be read ({error.strerror})") from None
            except (ValueError, TypeError):
                raise self._wrong(http, "it is no PFX file, or the passphrase is wrong") from None
        return context

    def _wrong(self, http: Http, why: str) -> SettingError:
        settings = " and ".join(sorted(names([self.certificate, self.key, self.passphrase])))
        return SettingError(
            f"{http.name}: the client certificate cannot be used: {why}", hint=f"Check the settings {settings}."
        )


class _Adapter(Adapter):
    """Connections that show a client certificate."""

    def __init__(self, context: ssl.SSLContext) -> None:
        self.context = context
        super().__init__()

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, ssl_context=self.context, **kwargs)

    def proxy_manager_for(self, *args: Any, **kwargs: Any) -> Any:
        return super().proxy_manager_for(*args, ssl_context=self.context, **kwargs)


def _path(given: str, files: ExitStack) -> str:
    """Return the path of a file that holds the PEM text *given*, or *given* itself where it is a path."""
    if not given.lstrip().startswith(_PEM):
        return given
    return files.enter_context(_file(given.replace("\\n", "\n").encode()))  # variables often hold a PEM in one line


@contextmanager
def _file(content: bytes) -> Iterator[str]:
    """Give the path of a file, readable by us alone and gone afterwards: OpenSSL takes certificates from files only."""
    with tempfile.NamedTemporaryFile(suffix=".pem") as file:  # mode 0600
        file.write(content)
        file.flush()
        yield file.name


@contextmanager
def _unpacked(pfx: bytes, passphrase: str) -> Iterator[tuple[str, str]]:
    """Give the path of a PEM file with what a PFX file holds, and the passphrase that its key is encrypted with there."""
    serialization, pkcs12 = (
        library(f"cryptography.hazmat.primitives.serialization{m}", "a PFX file", "oauth") for m in _PFX
    )
    key, certificate, others = pkcs12.load_key_and_certificates(pfx, passphrase.encode() or None)
    if key is None or certificate is None:
        raise ValueError("no key or no certificate")
    pem, word = serialization.Encoding.PEM, secrets.token_urlsafe()
    kept = key.private_bytes(
        pem, serialization.PrivateFormat.PKCS8, serialization.BestAvailableEncryption(word.encode())
    )
    with _file(kept + b"".join(found.public_bytes(pem) for found in (certificate, *others))) as path:
        yield path, word


_PFX = ("", ".pkcs12")


def _why(error: ssl.SSLError) -> str:
    if "MISMATCH" in (error.reason or "").upper():
        return "the key is that of another certificate"
    return "the files are no certificate and key in PEM form, or the passphrase is wrong"
