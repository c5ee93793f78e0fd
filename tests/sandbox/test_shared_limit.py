"""Processes that speak to one account at once: none is refused, and hardly any of the limit is left unused."""

from __future__ import annotations

import itertools
import json
import subprocess
import sys
import urllib.request

import pytest

CALLS, SECONDS = 60, 5.0
WORKER = """
import json, sys, time
from concurrent.futures import ThreadPoolExecutor
from antiphon import connect
config, name, calls = json.loads(sys.argv[1]), sys.argv[2], int(sys.argv[3])
client = connect(name, api="hubspot", **config).client
def work(_):
    client.call("GET", "/account-info/v3/details")
    return time.monotonic()
with ThreadPoolExecutor(8) as pool:
    print(json.dumps(list(pool.map(work, range(calls)))))
"""


@pytest.fixture
def sandbox():
    """Start sandboxes as processes of their own."""
    started = []

    def start(*options):
        command = [sys.executable, "-m", "antiphon.sandbox", "hubspot", "--records", "0", *options]
        server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        started.append(server)
        return json.loads(server.stdout.readline())["config"]

    yield start
    for server in started:
        server.terminate()
        server.wait(20)
        server.stdout.close()


def counted(config):
    with urllib.request.urlopen(f"{config['base_url']}/_sandbox/calls", timeout=10) as answer:
        return json.loads(answer.read())


@pytest.mark.parametrize(("names", "latency"), [(("crm", "reports"), 0), (("crm",), 200)])
def test_processes_of_one_account_use_the_limit_up_and_are_never_refused(sandbox, tmp_path, names, latency):
    for turn in range(3):  # a machine that has other things to do may not keep up
        config = sandbox("--limit", f"{CALLS}/{SECONDS:g}", "--latency-ms", str(latency))
        used = share_of_the_limit(config, names, tmp_path / str(turn))
        assert counted(config)["rate_limited"] == 0
        if used >= 0.9:
            return
    assert used >= 0.9


def share_of_the_limit(config, names, folder):
    """Call it from several processes for some windows, and return which part of it they used in the best of these."""
    calls, seconds, windows = CALLS, SECONDS, 3
    of_each = str(windows * calls // len(names))
    workers = [
        subprocess.Popen(
            [sys.executable, "-c", WORKER, json.dumps({**config, "state_dir": str(folder / name)}), name, of_each],
            stdout=subprocess.PIPE,
            text=True,
        )
        for name in names
    ]
    times = sorted(time for worker in workers for time in json.loads(worker.communicate(timeout=90)[0]))
    ends = times[calls - 1 :: calls]  # of each windowful; the first comes as fast as it can
    best = min(later - earlier for earlier, later in itertools.pairwise(ends))  # a busy machine may lose one
    return seconds / best
