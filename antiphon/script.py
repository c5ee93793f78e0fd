"""A description that is a Python file of the user's: it is run, and holds one :class:`~antiphon.api.Api`.

The way out where data does not do: a slot may be filled with a function there.
"""

from __future__ import annotations

import sys
import traceback
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

from antiphon.api import Api
from antiphon.errors import DescriptionError


def load(path: Path) -> Api:
    """Run the file at *path* and return its API: the one under the file's own name, else the only one there is.

    Raises:
        DescriptionError: it cannot be run (the text says at which line and column), or does not hold one API.
    """
    name = f"antiphon_script_{path.stem}"
    spec = spec_from_file_location(name, path)
    assert spec  # noqa: S101
    assert spec.loader  # noqa: S101
    own = str(spec.origin)  # as tracebacks name it
    module = module_from_spec(spec)
    sys.modules[name] = module  # dataclasses look their own module up
    try:
        spec.loader.exec_module(module)
    except DescriptionError as error:
        raise DescriptionError(f"{path}:{_place(error, own)}: {error.message}", hint=error.hint) from None
    except SyntaxError as error:
        where = path if error.filename in {None, own} else error.filename
        raise DescriptionError(f"{where}:{error.lineno or 1}:{error.offset or 1}: {error.msg}") from None
    except Exception as error:
        said = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
        raise DescriptionError(f"{path}:{_place(error, own)}: {said}") from error
    apis = {name: value for name, value in vars(module).items() if isinstance(value, Api)}
    distinct = {id(api): api for api in apis.values()}
    if path.stem in apis:
        return apis[path.stem]
    if len(distinct) != 1:
        said = f"it holds several APIs: {', '.join(apis)}" if apis else "it holds no Api"
        raise DescriptionError(f"{path} -> {said}", hint=f"Call the one that is meant {path.stem}, like the file.")
    return next(iter(distinct.values()))


def _place(error: BaseException, file: str) -> str:
    """Return the line and the column of the *file* at which the error came up: the last of its own."""
    own = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename == file]
    return f"{own[-1].lineno or 1}:{(own[-1].colno or 0) + 1}" if own else "1:1"
