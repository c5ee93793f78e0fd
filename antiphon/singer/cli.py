"""The command line of a plugin: every error is one line on stderr, and a closed stdout ends in silence.

Exit codes: 0 done · 1 an error · 2 a wrong option · 129, 130 and 143 ended by a signal · 141 stdout was closed by its reader.
"""

from __future__ import annotations

import json
import logging
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any, NoReturn

import click
from singer_sdk.exceptions import ConfigValidationError, SingerSDKError
from singer_sdk.plugin_base import PluginBase, _ConfigInput

from antiphon.errors import AntiphonError, InputError, SettingError, one_line
from antiphon.singer.universal import drawn

INTERRUPTED = 130
CLOSED = 141
"""What the shell reports of a program that a closed pipe has ended: 128 and SIGPIPE."""

log = logging.getLogger("antiphon.singer")


class _OneLine(logging.LogRecord):
    """A message of the log that is one line, whatever it quotes."""

    def getMessage(self) -> str:  # noqa: N802 - the standard library's name
        return one_line(super().getMessage())


class OneLineCommand(click.Command):
    """A plugin's command. What goes wrong, while options are read or later, is told in one line."""

    def main(self, args: Sequence[str] | None = None, prog_name: str | None = None, *_more: Any, **_extra: Any) -> Any:
        """Run, and end the process with the right exit code."""
        if sys.stdout is None:  # the next file that is opened would be taken for it
            click.echo(f"{self.name}: stdout is closed, and messages go there. Redirect it: > state.json", err=True)
            sys.exit(1)
        logging.captureWarnings(capture=True)
        logging.setLogRecordFactory(_OneLine)
        logging.getLogger("urllib3").setLevel(logging.INFO)  # at DEBUG it logs URLs, and some hold keys
        try:
            code = self._run(list(sys.argv[1:] if args is None else args), prog_name or str(self.name))
            sys.stdout.flush()
        except BrokenPipeError:
            silence()
            code = CLOSED
        except KeyboardInterrupt:
            code = INTERRUPTED
        except click.ClickException as error:
            error.show()
            code = error.exit_code
        except Exception as error:
            if isinstance(error, _Unwritten):
                silence()
            click.echo(told(error, str(self.name)), err=True)
            log.debug("This is where it happened:", exc_info=error)
            code = 1
        sys.exit(code)

    def _run(self, args: list[str], prog_name: str) -> int:
        try:
            with self.make_context(prog_name, args) as context:
                self.invoke(context)
        except click.exceptions.Exit as ended:
            return ended.exit_code
        except SystemExit as ended:
            return ended.code if isinstance(ended.code, int) else int(ended.code is not None)
        return 0


def told(error: Exception, plugin: str) -> str:
    """Return the one line that tells the user of *error*."""
    if isinstance(error, AntiphonError):
        return str(error)
    if isinstance(error, ConfigValidationError):
        return f"{plugin}: {_line('; '.join(error.errors) or error)}"
    if isinstance(error, SingerSDKError):
        return f"{plugin}: {_line(error)}"
    if isinstance(error, OSError):
        where = f"{error.filename} -> " if error.filename is not None else ""
        return f"{plugin}: {where}{error.strerror or _line(error)}"
    return f"{plugin}: unexpected {type(error).__name__}: {_line(error)}. LOGLEVEL=DEBUG shows where it happened."


def command(plugin: type[PluginBase], made: click.Command, *options: click.Option) -> OneLineCommand:
    """Return the SDK's command *made* for *plugin* as one whose errors are one line each, with further *options*."""
    for param in made.params:
        if param.name == "config":
            param.callback = _config
        elif param.name in {"state", "catalog"}:
            param.type = JsonFile()
        elif isinstance(param.type, click.File):
            param.type = _File(param.type.mode, encoding="utf-8")

    def invoked(*, about: bool = False, config: _ConfigInput | None = None, full: bool = False, **given: Any) -> None:
        if full and config is not None:
            config.config["full"] = True
        found = drawn(plugin, config.config if config else None, check=not about)
        found.invoke(about=about, config=config, **given)

    return OneLineCommand(
        name=plugin.name,
        callback=invoked,
        params=[*made.params, *options],
        help=made.help,
        context_settings=made.context_settings,
    )


class _Unwritten(OSError):
    """Something could not be written to stdout, and what is left of it cannot either."""


@contextmanager
def writing(what: str) -> Iterator[None]:
    """Let an error in writing to stdout tell *what* was being written; whoever has closed it is told nothing."""
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as error:
        raise _Unwritten(error.errno, error.strerror, f"writing {what} to stdout") from None


def silence() -> None:
    """Let whatever is still to be written to stdout, at the latest when the interpreter ends, go nowhere."""
    try:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except (OSError, ValueError):  # stdout is no file, or is closed already
        sys.stdout = open(os.devnull, "w", encoding="utf-8")  # noqa: PTH123, SIM115


class JsonFile(click.ParamType):  # type: ignore[type-arg]  # generic to type checkers alone
    """The path of a file that holds one JSON object; ``-`` is stdin. Converted to the object."""

    name = "filename"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Read the file.

        Raises:
            InputError: there is none, or it holds something else; the text names it.
        """
        if not isinstance(value, str):
            return value
        what = f"{_plugin(ctx)}: {param.opts[0] if param else 'file'} {value}"
        try:
            raw = sys.stdin.buffer.read() if value == "-" else Path(value).read_bytes()
        except OSError as error:
            raise InputError(f"{what} -> {error.strerror}", hint="Check the path.") from None
        return read_object(raw, what, InputError)


class _File(click.File):
    """A file that is opened when it is read; one that cannot be is an error of one line."""

    def fail(self, message: str, param: click.Parameter | None = None, ctx: click.Context | None = None) -> NoReturn:
        raise InputError(f"{_plugin(ctx)}: {param.opts[0] if param else 'file'} {message}", hint="Check the path.")


def read_object(raw: bytes, what: str, kind: Callable[..., AntiphonError]) -> dict[str, Any]:
    """Return the JSON object in *raw*; numbers with a fraction become Decimals.

    Raises:
        AntiphonError: of the *kind* given, naming *what* it is and where in it the fault is.
    """
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise kind(f"{what} -> no UTF-8 at byte {error.start}", hint="Save it as UTF-8.") from None
    if not text.strip():
        raise kind(f"{what} -> it is empty", hint="Leave it out if there is nothing to give.")
    try:
        found = json.loads(text, parse_float=Decimal)
    except json.JSONDecodeError as error:
        said = f"no JSON at line {error.lineno}, column {error.colno}: {error.msg}"
        raise kind(f"{what} -> {said}", hint="One JSON object is expected.") from None
    if not isinstance(found, dict):
        raise kind(f"{what} -> one JSON object is expected, not {json.dumps(found, default=str)[:40]}")
    return found


def _config(ctx: click.Context, param: click.Parameter, value: Iterable[str]) -> _ConfigInput:  # noqa: ARG001
    """Return the config files, merged, the last one first heard; ``ENV`` stands for the environment."""
    config: dict[str, Any] = {}
    env = False
    for path in value:
        if path == "ENV":
            env = True
            continue
        what = f"{_plugin(ctx)}: --config {path}"
        try:
            raw = Path(path).read_bytes()
        except OSError as error:
            raise SettingError(f"{what} -> {error.strerror}", hint="Check the path.") from None
        found = read_object(raw, what, SettingError)
        config |= found["config"] if set(found) == {"config"} and isinstance(found["config"], dict) else found
    return _ConfigInput(config=config, parse_env=env)


def _plugin(ctx: click.Context | None) -> str:
    return str(ctx.command.name) if ctx else "plugin"


def _line(words: object) -> str:
    return " ".join(one_line(words).split()).rstrip(".")
