"""What holds for all tests."""

from __future__ import annotations

import os
import shutil
import signal
import tempfile
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

# A busy machine makes no test fail.
settings.register_profile("antiphon", deadline=None, database=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("antiphon")


@pytest.fixture(autouse=True, scope="session")
def _a_state_folder_of_our_own():
    """Keep what a run leaves behind out of the user's state folder, and what stands there out of the run."""
    folder = tempfile.mkdtemp(prefix="antiphon-tests-")
    os.environ["XDG_STATE_HOME"] = folder
    yield
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(autouse=True, scope="session")
def _signals_are_heard():
    """Tests that run in the background or under `nohup` send signals as well, which what they start would not hear there."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler), signal.signal(signal.SIGHUP, signal.SIG_DFL)
    yield
    signal.signal(signal.SIGINT, before[0])
    signal.signal(signal.SIGHUP, before[1])


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Print what the fault matrix came to, if it was run; with ``WRITE_FAULTS`` set it is kept in the docs."""
    every = [report for some in terminalreporter.stats.values() for report in some]
    reports = [report for report in every if getattr(report, "when", "") == "call"]
    told = [value for report in reports for name, value in getattr(report, "user_properties", ()) if name == "verdict"]
    if told:
        from faults import report as page  # noqa: PLC0415 - of no use to other runs

        terminalreporter.write_line(page.tables(told))
        if os.environ.get("WRITE_FAULTS"):
            page.write(told)
