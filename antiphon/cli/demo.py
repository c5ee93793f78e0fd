"""``demo``: the main job on a sandbox. Records out of an API, people from a CSV into it, and then only what changed.

It runs the real commands, as a user would type them, and prints each line before it runs.
"""

from __future__ import annotations

import shlex
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import click
from rich.console import Console

from antiphon.cli import people, shown
from antiphon.cli.stage import DemoError, Message, Stage, chosen_folder, ended_by_sigterm, environment, run, sandbox

_WIDTH = 110


@click.command(epilog="Example: antiphon demo --keep demo")
@click.option(
    "--keep",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="DIR",
    help="Keep the files in DIR, to look around.",
)
@click.option("--records", type=click.IntRange(100), default=2000, show_default=True, help="Contacts in the sandbox.")
def demo(keep: Path | None, records: int) -> None:
    """Show the main job on a sandbox of HubSpot: no credentials, nothing leaves this machine, under a minute.

    Reads all contacts, writes a CSV of people, shows what became of each, and reads only what changed. The shell lines
    are printed, to be copied.
    """
    to = Console(highlight=False)
    to.width = max(to.width, _WIDTH) if not to.is_terminal else to.width
    with ended_by_sigterm(), chosen_folder(keep) as folder:
        stage = Stage(folder, environment(folder), to)
        play(stage, records)
    if keep:
        stage.say(f"The files are in {folder}. The sandbox has ended; its line starts it again, as it was.")
    else:
        stage.say("The files are gone. antiphon demo --keep demo keeps them, and its lines can be pasted.")


def play(stage: Stage, records: int) -> None:
    """Run the whole demo.

    Raises:
        DemoError: a command failed, or the counts are not what they should be.
    """
    started = time.monotonic()
    stage.say(f"A sandbox of HubSpot with {records:,} contacts, on this machine.", "bold")
    stage.say(f"$ cd {shlex.quote(str(stage.folder))}", "green")
    with sandbox(stage, records) as config:
        contacts = read_all(stage, config)
        expected = write_people(stage, config, contacts)
        outcomes = show_outcomes(stage, expected)
        read_changes(stage, outcomes)
    stage.say(f"\nDone in {time.monotonic() - started:.0f} s: every record is accounted for.", "bold")
    stage.say("With an account of your own: antiphon apis hubspot shows what to set.")


def read_all(stage: Stage, config: Mapping[str, Any]) -> list[Message]:
    """Read everything into a file; return the contacts."""
    stage.say("\n1 · Out of HubSpot, into a file", "bold")
    stage.file("hubspot.json", {**config, "state_dir": "state"})
    took = run(stage, "tap-hubspot --config hubspot.json > hubspot.jsonl")
    counts = Counter(message["stream"] for message in stage.messages("hubspot.jsonl"))
    stage.say(f"{counts.total():,} records of {len(counts)} streams in {took:.1f} s: {listed(counts, 3)}.")
    return [message["record"] for message in stage.messages("hubspot.jsonl") if message["stream"] == "contacts"]


def write_people(stage: Stage, config: Mapping[str, Any], contacts: Sequence[Message]) -> people.People:
    """Write a CSV of people into HubSpot; return what it holds."""
    found = people.people(contacts)
    people.write(found, stage.folder / "people.csv")
    stage.say("\n2 · People from a CSV, into HubSpot", "bold")
    stage.say(
        f"people.csv: {found.new} new people, {found.changed} with a new job title, {found.unchanged} as HubSpot has them, "
        f"{found.invalid} invalid."
    )
    stage.file("people.json", {"files": [{"path": "people.csv", "entity": "people"}]})
    stage.file(
        "target.json",
        {
            **config,
            "streams": {
                "people": {"resource": "contacts", "mode": "upsert", "match": ["email"], "fields": people.FIELDS},
            },
            "rejects": "rejects.jsonl",
            "receipts": "receipts.jsonl",
            "max_rejects": 10,
            "state_dir": "state",
            "full": True,  # a sandbox that is started again has forgotten what the ledger knows of
        },
    )
    run(stage, "tap-csv --config people.json | target-hubspot --config target.json > written.json")
    return found


def show_outcomes(stage: Stage, expected: people.People) -> list[Message]:
    """Show what became of the people, from the receipts; return those receipts.

    Raises:
        DemoError: the counts are not what the CSV asked for.
    """
    receipts = [message["record"] for message in stage.messages("receipts.jsonl")]
    counts = Counter(receipt["outcome"] for receipt in receipts)
    stage.say()
    shown.table(("outcome", "people"), counts.most_common(), to=stage.to)
    stage.say()
    rejects = stage.messages("rejects.jsonl")
    shown.table(
        ("rejected", "why"),
        ((reject["record"].get("email") or "(no e-mail)", reject["error"]["message"]) for reject in rejects),
        to=stage.to,
    )
    stage.say()
    wanted = {
        "created": expected.new,
        "updated": expected.changed,
        "unchanged": expected.unchanged,
        "rejected": expected.invalid,
    }
    if counts != Counter(wanted) or len(rejects) != expected.invalid:
        raise DemoError(f"demo: {dict(counts)} and {len(rejects)} rejects came of the people, where {wanted} were due")
    stage.say("The rejects are kept as they came, in rejects.jsonl: mend them and pipe them in again.")
    return receipts


def read_changes(stage: Stage, receipts: Sequence[Message]) -> None:
    """Read again, from where the first read ended.

    Raises:
        DemoError: other contacts came than those that were written.
    """
    stage.say("\n3 · Only what changed", "bold")
    run(stage, "tail -n 1 hubspot.jsonl > state.json")
    took = run(stage, "tap-hubspot --config hubspot.json --state state.json > changes.jsonl")
    messages = stage.messages("changes.jsonl")
    written = {str(receipt["remote_id"]) for receipt in receipts if receipt["outcome"] in {"created", "updated"}}
    ids = [str(message["record"]["id"]) for message in messages if message["stream"] == "contacts"]
    if set(ids) != written or len(ids) != len(written):
        raise DemoError(f"demo: {len(ids)} contacts came, where the {len(written)} that were written were due")
    stage.say(f"{len(ids)} contacts in {took:.1f} s: exactly those that were created or updated, each once.")
    others = Counter(message["stream"] for message in messages if message["stream"] != "contacts")
    stage.say(f"What has no time of change comes whole: {listed(others, 3)}.")


def listed(counts: Counter[str], most: int) -> str:
    """Return *counts* as words, the greatest first: ``contacts 2,000, companies 500 and 3 more``."""
    words = [f"{name} {count:,}" for name, count in counts.most_common(most)]
    others = len(counts) - len(words)
    return ", ".join(words) + (f" and {others} more" if others else "")
