"""What holds for all tests."""

from __future__ import annotations

import os
from typing import Any

from hypothesis import HealthCheck, settings

# A busy machine makes no test fail.
settings.register_profile("antiphon", deadline=None, database=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("antiphon")


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Print what the fault matrix came to, if it was run; with ``WRITE_FAULTS`` set it is kept in the docs."""
    reports = [report for some in terminalreporter.stats.values() for report in some]
    told = [value for report in reports for name, value in getattr(report, "user_properties", ()) if name == "verdict"]
    if told:
        from faults import report as page  # noqa: PLC0415 - of no use to other runs

        terminalreporter.write_line(page.tables(told))
        if os.environ.get("WRITE_FAULTS"):
            page.write(told)
