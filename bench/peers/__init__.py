"""Other people's taps, targets and frameworks, each in an environment of its own, and how each is run on the mock.

The modules beside this one are run by the Python of a peer's environment and import nothing of ours.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent

REQUIREMENTS: dict[str, str] = {
    "singer-sdk": "singer-sdk==0.54.9",
    "meltano-tap-hubspot": "meltano-tap-hubspot==0.10.1",
    "airbyte-cdk": "airbyte-cdk==7.39.*",
    "dlt": "dlt==1.31.*",
    "target-jsonl": "target-jsonl==0.1.4",
}


def python(peer: str) -> Path:
    """Return the Python of the environment that *peer* is installed in; it is made where it is not there.

    Raises:
        SystemExit: it cannot be installed.
    """
    home = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    folder = Path(home) / "antiphon-bench" / REQUIREMENTS[peer].replace("*", "x").replace("==", "-")
    found = folder / "bin" / "python"
    if not (folder / ".complete").exists():
        print(f"installing {REQUIREMENTS[peer]} …", file=sys.stderr)
        subprocess.run([sys.executable, "-m", "venv", "--clear", folder], check=True)
        made = subprocess.run(
            [found, "-m", "pip", "install", "--quiet", "--no-input", REQUIREMENTS[peer]],
            check=False,
            text=True,
            capture_output=True,
        )
        if made.returncode:
            raise SystemExit(f"{REQUIREMENTS[peer]} cannot be installed: {made.stderr[-500:]}")
        (folder / ".complete").touch()
    return found


def version(peer: str) -> str:
    """Return the version that is installed of *peer*."""
    said = "from importlib.metadata import version; import sys; print(version(sys.argv[1]))"
    done = subprocess.run([python(peer), "-c", said, peer], check=True, text=True, capture_output=True)
    return done.stdout.strip()
