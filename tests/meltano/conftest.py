"""Meltano in an environment of its own, kept outside the checkout, and a copy of our project to run it on.

The environment also takes what the suite depends on, which shows that the extra ``meltano`` can be installed. Our commands
are found on the PATH, where ``make setup`` has put them.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from real.servers import CannotInstallError, installed, pip_packages

from antiphon import sandbox

ROOT = Path(__file__).parent.parent.parent


@pytest.fixture(scope="session")
def meltano() -> Path:
    """The folder of an environment with Meltano in it."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    wanted = [*project["dependencies"], *project["optional-dependencies"]["meltano"]]
    digest = hashlib.sha256(" ".join([sys.version, *wanted]).encode()).hexdigest()[:8]
    try:
        return installed("meltano", digest, pip_packages(*wanted))
    except CannotInstallError as why:
        if os.environ.get("CI"):
            raise
        pytest.skip(str(why))


@dataclass
class Project:
    """A copy of the Meltano project, and where its plugins are to connect to."""

    folder: Path
    meltano: Path
    environment: str = "sandbox"
    variables: dict[str, str] = field(default_factory=dict)

    def __call__(self, *arguments: str, log_level: str = "info", fails: bool = False) -> str:
        """Run ``meltano <arguments>``; give what it said, stdout and stderr as they came."""
        done = self.run(*arguments, log_level=log_level)
        said = done.stdout + done.stderr
        assert bool(done.returncode) == fails, said
        return said

    def run(self, *arguments: str, log_level: str = "info") -> subprocess.CompletedProcess[str]:
        """Run ``meltano <arguments>``, whatever comes of it."""
        own = {
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            "HOME": str(self.folder),
            "NO_PROXY": "127.0.0.1",
            "NO_COLOR": "1",
            "COLUMNS": "200",
            **self.variables,
        }
        command = [self.meltano / "bin" / "meltano", f"--log-level={log_level}", f"--environment={self.environment}"]
        return subprocess.run(
            [*command, *arguments], cwd=self.folder, env=own, capture_output=True, text=True, check=False, timeout=120
        )

    def reads(self, server: sandbox.Server) -> None:
        """Let tap-hubspot read there."""
        self.variables["TAP_HUBSPOT_BASE_URL"] = server.url

    def writes(self, server: sandbox.Server) -> None:
        """Let target-hubspot write there."""
        self.variables["TARGET_HUBSPOT_BASE_URL"] = server.url


@pytest.fixture
def project(meltano: Path, tmp_path: Path) -> Project:
    """A fresh copy of the project."""
    folder = tmp_path / "project"
    folder.mkdir()
    shutil.copy(ROOT / "meltano.yml", folder)
    for name in ("plugins", "examples"):
        shutil.copytree(ROOT / name, folder / name)
    return Project(folder, meltano)


@pytest.fixture
def account(request: pytest.FixtureRequest) -> Callable[[int], sandbox.Server]:
    """Makes a HubSpot account with so many contacts and nothing else."""

    def make(contacts: int) -> sandbox.Server:
        server = sandbox.start("hubspot", records=0, counts={"contacts": contacts})
        request.addfinalizer(server.stop)
        return server

    return make
