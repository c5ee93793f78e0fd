"""No credential shows: not in the log, not on stdout or stderr, not in a file that is left behind."""

from __future__ import annotations

import logging
from contextlib import suppress
from pathlib import Path
from urllib.parse import quote_plus

import pytest

from antiphon import apis as descriptions
from antiphon.client import Client
from antiphon.errors import AntiphonError
from contract import plugins
from contract.apis import Account, Entry, apis, populate
from contract.wire import CUT, LOST, Wire, writes


@pytest.mark.parametrize("entry", apis(lambda entry: entry.http))
def test_no_secret_shows_in_a_whole_days_work(
    entry: Entry,
    account: Account,
    tmp_path: Path,
    wire: Wire,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    caplog.set_level(logging.DEBUG)
    caplog.set_level(logging.INFO, "urllib3")  # as the commands have it: at DEBUG it logs URLs
    tap, target = plugins.plugin(entry.tap), plugins.plugin(entry.target)
    said: list[str] = []
    refused: list[plugins.Message] = []
    for case in entry.cases:
        populate(case, account)
        wire.fail(429, 500, CUT)
        said += map(str, plugins.read(tap, account.config, case.resource).messages)
        if case.sample:
            first, second, third = case.sample.records(account.hand)
            plan = {"resource": case.resource, **({"match": list(case.sample.match)} if case.sample.match else {})}
            config = {**account.config, "streams": {"people": plan}}
            wire.fail(503, LOST, only=writes)
            rows = [first, {**second, **case.sample.fault}, third]
            written = plugins.write(target, config, plugins.stream("people", rows), tmp_path)
            said += [written.out, str(written.receipts), str(written.rejects)]
            refused += written.rejects
    assert refused
    wrong = {**account.config, **account.wrong}
    for attempt in (
        lambda: plugins.read(tap, wrong, entry.cases[0].resource),
        lambda: Client(descriptions.load(entry.name), wrong).check(),
        lambda: Client(descriptions.load(entry.name), {**account.config, "base_url": "http://127.0.0.1:1"}).check(),
        lambda: Client(descriptions.load(entry.name), account.config).call("GET", f"/{account.secret}"),
    ):
        with suppress(AntiphonError):
            attempt()
            pytest.fail("it was to be refused")
        with pytest.raises(AntiphonError) as caught:
            attempt()
        said.append(str(caught.value))
    out, err = capfd.readouterr()
    files = [file for file in tmp_path.rglob("*") if file.is_file()]
    assert any("ledger" in file.name for file in files)
    shown = {"log": caplog.text, "stdout": out, "stderr": err, "errors and messages": "\n".join(said)}
    shown |= {file.name: file.read_bytes().decode("utf-8", "replace") for file in files}
    for secret in (account.secret, *account.wrong.values()):
        for where, text in shown.items():
            assert secret not in text, where
            assert quote_plus(secret) not in text, where
