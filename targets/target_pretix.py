"""Writes to pretix."""

from __future__ import annotations

from antiphon.singer.target import Target


class TargetPretix(Target):
    """Writes events, sessions, items, orders, attendees, check-ins, customers and vouchers back to pretix."""

    api = "pretix"


if __name__ == "__main__":
    TargetPretix.cli()
