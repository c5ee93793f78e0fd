"""Which module may import which: arrows point one way, from the command down to the errors."""

import ast
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
LIBRARY = ROOT / "antiphon"

#: Lowest first. A module may import what is in its own layer or below.
LAYERS = (
    {"errors", "ahead", "bounds", "kept", "late", "folder"},
    {"fill", "schema", "moment", "inplace", "pauses"},
    {"sample"},
    {"condition"},
    {"outcome"},
    {"api"},
    {"openapi"},
    {"formats", "paging", "sources", "style", "budget", "limits", "shape", "tokens"},
    {"adapter", "curl", "received"},
    {"http"},
    {"auth"},
    {"layout"},
    {"encode"},
    {"asking", "sent", "expected", "shared"},
    {"pages", "changing"},
    {"parents", "parts"},
    {"client", "vanished"},
    {"description", "writeback", "script"},
    {"apis"},
    {"connection", "login"},
    {"singer", "scaffold"},
    {"cli", "launch"},
)
#: What a description may be made of.
OF_A_DESCRIPTION = {
    "api", "apis", "auth", "client", "condition", "errors", "fill", "formats", "kept", "moment", "outcome", "paging", "schema", "shape",
    "sources", "style", "vanished",
}  # fmt: skip
FILES = sorted(LIBRARY.rglob("*.py"))


@cache
def tree(path):
    return ast.parse(path.read_text("utf-8"))


@cache
def imports(path):
    """Return the modules that a file imports when it runs, with their full names; not those for type checkers alone."""
    found = []

    def look(node):
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            return
        if isinstance(node, ast.Import):
            found.extend(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{path}: imports are absolute here"
            whole = node.module == "antiphon"
            found.extend([f"antiphon.{alias.name}" for alias in node.names] if whole else [node.module])
        for child in ast.iter_child_nodes(node):
            look(child)

    look(tree(path))
    return found


def part(path):
    """Return the name of the module or package right below ``antiphon`` that a file belongs to."""
    return path.relative_to(LIBRARY).parts[0].removesuffix(".py")


def ours(path):
    """Return the parts of the library that a file imports."""
    parts = {name.split(".")[1] for name in imports(path) if name.startswith("antiphon.")}
    return parts - {"__version__"}


def files_of(*parts):
    return [pytest.param(path, id=str(path.relative_to(LIBRARY))) for path in FILES if part(path) in parts]


def layer(name):
    return next((n for n, names in enumerate(LAYERS) if name in names), None)


def test_every_module_has_its_layer():
    unplaced = {part(path) for path in FILES if layer(part(path)) is None} - {"__init__", "sandbox"}
    assert not unplaced, f"say in LAYERS where {', '.join(sorted(unplaced))} belongs"


@pytest.mark.parametrize("path", files_of(*set().union(*LAYERS)))
def test_arrows_point_downwards(path):
    upwards = {name for name in ours(path) - {"sandbox"} if layer(name) is None or layer(name) > layer(part(path))}
    assert not upwards


@pytest.mark.parametrize(
    "path", [path for path in files_of("apis") if path.values[0] != LIBRARY / "apis" / "__init__.py"]
)
def test_a_description_imports_the_types_it_is_made_of(path):
    assert ours(path) <= OF_A_DESCRIPTION


@pytest.mark.parametrize("path", files_of("sandbox"))
def test_the_sandbox_knows_nothing_of_the_library(path):
    assert ours(path) <= {"sandbox"}


def test_nothing_but_the_command_knows_of_the_sandbox():
    assert {part(path) for path in FILES if "sandbox" in ours(path)} <= {"sandbox", "cli"}


def test_only_singer_knows_the_sdk():
    knows = {part(path) for path in FILES if any(name.split(".")[0] == "singer_sdk" for name in imports(path))}
    assert knows <= {"singer"}


def test_plugins_import_singer_alone_and_nothing_imports_them():
    plugins = [*(ROOT / "taps").glob("*.py"), *(ROOT / "targets").glob("*.py")]
    assert plugins
    assert set().union(*(ours(path) for path in plugins)) <= {"singer"}
    names = {path.stem for path in plugins}
    assert not {name for path in FILES for name in imports(path)} & names


def test_the_environment_is_read_at_the_edge_alone():
    readers = {
        part(path)
        for path in FILES
        for node in ast.walk(tree(path))
        if (isinstance(node, ast.Attribute) and node.attr in {"environ", "environb", "getenv", "getenvb"})
        or (
            isinstance(node, ast.ImportFrom)
            and node.module == "os"
            and {a.name for a in node.names} & {"environ", "getenv"}
        )
    }
    assert readers <= {"connection", "singer", "cli"}


def test_importing_the_package_loads_next_to_nothing():
    code = (
        "import sys, antiphon; print([m for m in sys.modules if m.startswith(('antiphon.', 'requests', 'singer_sdk'))])"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_this_test_sees_the_imports_there_are():
    assert "client" in ours(LIBRARY / "connection.py")
    assert layer("client") < layer("connection")
    assert ours(LIBRARY / "api" / "whole.py") == {"api", "bounds", "errors", "fill", "moment", "outcome"}
