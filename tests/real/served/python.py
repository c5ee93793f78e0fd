"""The environment that the servers written in Python share."""

from __future__ import annotations

from pathlib import Path

from tests.real.servers import installed, pip_packages

PACKAGES = (
    "flask==3.1.3",
    "localstripe==1.15.10",
    "moto[server]==5.2.5",
    "oauthlib==4.0.1",
    "scim2-server==0.8.3",
    "trytond==8.2.1",
    "trytond_party==8.2.0",
)


def programs() -> Path:
    """The folder of its programs, installed unless it is. Raises `CannotInstallError`."""
    versions = "-".join(package.partition("==")[2] for package in PACKAGES)
    return installed("python-servers", versions, pip_packages(*PACKAGES)) / "bin"
