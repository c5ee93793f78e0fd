"""``login`` and ``logout``: a connection is let into an account, and its token is kept or forgotten."""

from __future__ import annotations

import contextlib
import sys

import click

from antiphon import login as logging_in
from antiphon.cli import shown
from antiphon.cli.records import connected
from antiphon.connection import Connection
from antiphon.errors import Unauthorized

_WORDS = {"assertion": "private key", "refresh_token": "refresh token", "client_credentials": "client secret"}


@click.command(epilog="Example: antiphon login salesforce")
@connected
@click.option("--device", is_flag=True, help="Log in on another device, with a code to type there.")
@click.option("--paste", is_flag=True, help="Log in with a browser elsewhere; paste the address it ends at.")
@click.option(
    "--port",
    type=click.IntRange(1, 65535),
    metavar="N",
    help="Wait for the browser on this port; any free one, if not given.",
)
@click.option(
    "--redirect-uri",
    metavar="URL",
    help="With --paste: where the app sends the browser, if that is not http://127.0.0.1/callback.",
)
@click.option("--no-browser", is_flag=True, help="Open no browser; the address is shown in any case.")
def login(
    connection: Connection,
    as_json: bool,
    device: bool,
    paste: bool,
    port: int | None,
    redirect_uri: str | None,
    no_browser: bool,
) -> None:
    """Let a connection into your account.

    Opens the page to log in on, and keeps the token where taps, targets and this command find it. Where the settings are
    enough (a private key, a refresh token, client credentials, a password), they are used and no page is opened.
    """
    if device and (paste or port):
        raise click.UsageError("--device needs neither --paste nor --port.")
    if redirect_uri and not paste:
        raise click.UsageError("--redirect-uri goes with --paste.")
    client = connection.client
    auth = logging_in.auth_of(client)
    asked_for = device or paste or port or no_browser
    how = "" if asked_for else _by_settings(connection)
    if how:
        pass  # there is a token already
    elif device or (logging_in.device_of(auth) and not logging_in.page_of(auth) and not asked_for):
        logging_in.device_code(client, show=_show_code)
    else:
        logging_in.by_page(
            client,
            show=lambda address: _show_page(address, browser=not no_browser and not paste),
            port=port or 0,
            paste=_pasted if paste else None,
            redirect_uri=redirect_uri or "",
        )
    if shown.for_people(as_json):
        by = f" with its {_WORDS.get(how, 'settings')}" if how else ""
        click.echo(
            f"{connection.name} is logged in to {connection.api.title}{by}. Try: antiphon check {client.http.connection}"
        )
    else:
        found = {"connection": connection.name, "api": connection.api.name, "base_url": client.http.base_url}
        shown.record({**found, "logged_in": True}, as_json=True)


@click.command(epilog="Example: antiphon logout salesforce")
@connected
def logout(connection: Connection, as_json: bool) -> None:
    """Forget a connection's token.

    The account itself is told only where the API's description has a request for that: elsewhere take the app's access away there.
    """
    had = logging_in.forget(connection.client)
    if shown.for_people(as_json):
        said = "The token of {} is removed from this machine." if had else "There was no token of {}."
        click.echo(said.format(connection.name))
    else:
        shown.record({"connection": connection.name, "removed": had}, as_json=True)


def _by_settings(connection: Connection) -> str:
    """Return the grant that a token was got with, without anybody's doing; empty where somebody must log in."""
    client = connection.client
    auth = logging_in.auth_of(client)
    held, interactive = logging_in.held(client), bool(logging_in.page_of(auth) or logging_in.device_of(auth))
    if not held or (interactive and held == "client_credentials"):
        return ""  # the secret of an app that users log in to is not enough to be one of them
    try:
        logging_in.with_settings(client)
    except Unauthorized as error:
        if not interactive or held != "refresh_token":
            raise
        click.echo(f"The refresh token is not accepted any more ({error.code or error.status}).", err=True)
        return ""
    return held


def _show_page(address: str, *, browser: bool) -> None:
    click.echo(f"Log in on this page:\n\n  {address}\n", err=True)
    if browser and sys.stderr.isatty():
        import webbrowser  # noqa: PLC0415

        with contextlib.suppress(webbrowser.Error):
            webbrowser.open(address)


def _show_code(address: str, code: str) -> None:
    click.echo(f"Open this page on any device:\n\n  {address}\n\nand type the code {code}", err=True)


def _pasted() -> str:
    return str(click.prompt("The address the browser ended at", err=True))
