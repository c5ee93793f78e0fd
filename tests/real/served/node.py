"""The Node.js that some servers need, newer than a machine's own perhaps: its binary is a package on npm."""

from __future__ import annotations

import platform
import sys
from pathlib import Path

from tests.real.servers import installed, npm_packages

VERSION = "22.23.3"
_PROCESSORS = {"x86_64": "x64", "amd64": "x64", "aarch64": "arm64"}


def node() -> Path:
    """The program, installed unless it is. Raises `CannotInstallError`."""
    processor = platform.machine().lower()
    package = f"node-{sys.platform}-{_PROCESSORS.get(processor, processor)}"
    return installed("node", VERSION, npm_packages(f"{package}@{VERSION}")) / "node_modules" / package / "bin" / "node"
