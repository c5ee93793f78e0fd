"""Processes that speak to one account at once: none is refused, and hardly any of the limit is left unused."""

from __future__ import annotations

import json
import subprocess
import sys
import time
import urllib.request

import pytest

WORKER = """
import sys, time, json
from concurrent.futures import ThreadPoolExecutor
from antiphon import connect
config, name, until = json.loads(sys.argv[1]), sys.argv[2], float(sys.argv[3])
client = connect(name, api="hubspot", **config).client
def work(_):
    done = 0
    while time.time() < until:
        client.call("GET", "/account-info/v3/details")
        done += 1
    return done
with ThreadPoolExecutor(8) as pool:
    print(sum(pool.map(work, range(8))))
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
    calls, seconds, windows = 60, 5.0, 2
    config = {**sandbox("--limit", f"{calls}/{seconds:g}", "--latency-ms", str(latency)), "state_dir": str(tmp_path)}
    start = time.time() + 1.5  # until all of them have begun
    end = start + windows * seconds + latency / 1000 * (windows + 1) + 0.3
    workers = [
        subprocess.Popen(
            [sys.executable, "-c", WORKER, json.dumps(config), name, str(end)], stdout=subprocess.PIPE, text=True
        )
        for name in names
    ]
    done = [int(worker.communicate(timeout=60)[0]) for worker in workers]
    assert counted(config)["rate_limited"] == 0
    assert all(done)
    assert sum(done) >= 0.95 * calls * (windows + 1)
