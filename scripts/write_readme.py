"""Fills the README's table of APIs, from the descriptions, and with ``--demo`` the demo's output, from a run."""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
from pathlib import Path

from antiphon import apis
from antiphon.api import Api

README = Path(__file__).parent.parent / "README.md"

#: What each API has been held against; a person's word, not the code's.
TESTED = {
    "csv": "files",
    "hubspot": "contract-tested (hubspot-api-client)",
    "odoo": "contract-tested (odoorpc, odoo-client-lib)",
    "pretix": "real server (pretix 2026.8)",
    "salesforce": "contract-tested (simple-salesforce, jsforce)",
}


def table() -> str:
    """Return the table of the APIs we know, in Markdown."""
    lines = ["| API | tap | target | resources | tested |", "|---|---|---|---|---|"]
    lines += [_row(apis.load(name)) for name in apis.shipped()]
    lines += [
        "| any other, by a description of yours | `tap-universal` | `target-universal` | those it describes | yours to try |"
    ]
    return "\n".join(lines)


def _row(api: Api) -> str:
    tap = f"`tap-{api.name}`" if api.readable else ""
    target = f"`target-{api.name}`" if api.writable else ""
    names = ", ".join(resource.name for resource in api.resources)
    more = {
        "csv": "any CSV file",
        "hubspot": "custom objects",
        "odoo": "every other model",
        "salesforce": "every other object",
    }
    told = ", ".join(part for part in (names, more.get(api.name, "") if api.discover else "") if part)
    title = f"[{api.title}]({api.docs})" if api.docs else api.title
    return f"| {title} | {tap} | {target} | {told} | {TESTED[api.name]} |"


def filled(text: str, name: str, content: str) -> str:
    """Return *text* with *content* between the markers called *name*."""
    return re.sub(
        rf"(<!-- {name} -->\n).*?(<!-- /{name} -->)", lambda m: f"{m[1]}{content}\n{m[2]}", text, flags=re.DOTALL
    )


def main() -> None:
    """Write the README anew."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--demo", action="store_true", help="run the demo and put its output in")
    given = parser.parse_args()
    text = filled(README.read_text("utf-8"), "apis", table())
    if given.demo:
        ran = subprocess.run(
            [Path(sys.executable).parent / "antiphon", "demo"], capture_output=True, text=True, check=True
        )
        text = filled(text, "demo", f"```text\n{ran.stdout.strip()}\n```")
    README.write_text(text, "utf-8")


if __name__ == "__main__":
    main()
