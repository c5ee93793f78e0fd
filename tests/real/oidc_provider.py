"""A real OpenID provider (`oidc-provider` from npm, https://github.com/panva/node-oidc-provider) with a small API behind it.

It enforces PKCE, its tokens live for five seconds, and a refresh token that comes twice ends its whole family. What is
done in a browser `Browser` does, by the provider's own pages.
"""

from __future__ import annotations

import html
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

import requests

from .servers import LOOPBACK, CannotInstallError, Server, free_port, installed, start

VERSION = "9.13.3"
SCRIPT = Path(__file__).with_name("oidc_server.mjs")
APP = "app"
ROBOT = "robot"
ROBOT_SECRET = "a+robot/s%secret &="  # as `oidc_server.mjs` has it; not one letter survives without form-encoding


@dataclass(frozen=True)
class Provider:
    """A running provider."""

    url: str
    server: Server
    key: str
    """The private key of the client ``signer``, in PEM."""

    def seen(self) -> dict[str, Any]:
        """What has happened: ``granted`` (by grant), ``refused`` (errors), ``revoked``, ``unauthorized``, ``copies``."""
        found: dict[str, Any] = requests.get(f"{self.url}/api/seen", timeout=10).json()
        return found

    def stop(self) -> None:
        """End it."""
        self.server.stop()


def start_provider(folder: Path) -> Provider:
    """Start one; the first time, install it. Raises `CannotInstallError` where there is no node or no network."""
    home = installed("oidc-provider", VERSION, _install)
    port = free_port()
    url = f"http://{LOOPBACK}:{port}"
    command = [_program("node"), SCRIPT, home, str(port)]
    running = start(command, ready=f"{url}/api/seen", folder=folder)
    return Provider(url, running, (folder / "signer.pem").read_text())


def _install(folder: Path) -> None:
    command = [_program("npm"), "install", "--no-audit", "--no-fund", "--ignore-scripts", "--prefix", str(folder)]
    done = subprocess.run([*command, f"oidc-provider@{VERSION}"], check=False, capture_output=True, text=True)
    if done.returncode:
        said = (done.stderr or done.stdout).strip().splitlines() or ["nothing was said"]
        raise CannotInstallError(f"oidc-provider {VERSION} can't be installed here: {said[-1]}")


def _program(name: str) -> str:
    found = shutil.which(name)
    if not found:
        raise CannotInstallError(f"oidc-provider needs {name}, which isn't here")
    return found


class Browser:
    """Ada at her browser: she logs in and consents, by filling in the provider's forms."""

    def __init__(self) -> None:
        self.session = requests.Session()

    def open(self, address: str) -> requests.Response:
        """Open a page, and go where it sends the browser."""
        return self.session.get(address, timeout=30)

    def submit(self, page: requests.Response, **fields: str) -> requests.Response:
        """Fill in the page's form and send it."""
        form = re.search(r"<form[^>]*>.*?</form>", page.text, re.DOTALL)
        assert form, f"no form on {page.url}: {page.text[:500]}"
        action = re.search(r'<form[^>]*action="([^"]*)"', form[0])
        given = dict(re.findall(r'<input[^>]*type="hidden"[^>]*name="([^"]*)"[^>]*value="([^"]*)"', form[0]))
        return self.session.post(
            urljoin(page.url, html.unescape(action[1]) if action else ""), {**given, **fields}, timeout=30
        )

    def consent(self, page: requests.Response) -> requests.Response:
        """Log in and agree; return where that leads: for a log-in from the command, to what it says."""
        return self.submit(self.submit(page, login="ada", password="any"))

    def where_consent_leads(self, page: requests.Response) -> str:
        """Log in and agree, and return the address that the browser is sent to, where nobody answers."""
        try:
            return self.consent(page).url
        except requests.ConnectionError as error:
            return str(error.request.url) if error.request else ""

    def refuse(self, page: requests.Response) -> requests.Response:
        """Turn back at the log-in page."""
        link = re.search(r'<a href="([^"]*abort)"', page.text)
        assert link, page.text[:500]
        return self.open(urljoin(page.url, link[1]))

    def type_code(self, address: str) -> requests.Response:
        """Open the page for a device's code, confirm it, log in and agree."""
        confirm = self.submit(self.open(address))  # which a script does at once where there are scripts
        return self.consent(self.submit(confirm))
