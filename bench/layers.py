"""What a page or a record costs, in layers: which of our modules, and of others, belong to each."""

from __future__ import annotations

LOADING, REST = "loading of modules", "all else"
BEGINS = frozenset(
    {
        ("antiphon/encode.py", "rows"),
        ("antiphon/singer/target.py", "_process_records"),
        ("bench/floor.py", "fetched"),
        ("bench/floor.py", "taken"),
    }
)
"""Files and functions: once one of them is seen to be run, the start is over. They are most of the work, so that they are seen soon."""
_HTTP = {
    "HTTP: urllib3, libcurl, sockets": (
        "/urllib3/",
        "/http/client.py",
        "/socket.py",
        "antiphon/curl.py",
        "floor.py:fetched",
    ),
    "HTTP: requests": ("/requests/", "antiphon/adapter.py"),
    "HTTP: rate limit": ("antiphon/limits.py", "antiphon/budget.py"),
    "HTTP: signing, hosts, errors, bodies": (
        "antiphon/http.py",
        "antiphon/received.py",
        "antiphon/auth/",
        "antiphon/style/",
    ),
}
_INPUT = {
    "lines read": ("antiphon/singer/arriving.py",),
    "each line decoded, by its schema where it can be": (
        "antiphon/singer/reader.py:_passes",
        "antiphon/singer/reader.py:_record",
        "floor.py:taken",
    ),
    "lines put together": ("antiphon/singer/reader.py",),
    "held against the schema": (
        "antiphon/singer/sink.py:take",
        "antiphon/singer/sink.py:_refusal",
        "antiphon/singer/valid.py",
        "/jsonschema/",
        "/referencing/",
    ),
    "held until they are written": ("antiphon/singer/sink.py", "antiphon/singer/target.py", "noop_target.py"),
    "accounting: states, receipts, rejects": tuple(
        f"antiphon/singer/{name}.py" for name in ("accounts", "due", "rejects", "spared")
    ),
}
LAYERS: dict[str, dict[str, tuple[str, ...]]] = {
    "tap": {
        **_HTTP,
        "decoding": ("antiphon/layout.py:taken", "antiphon/encode.py:_body", "floor.py:decoded"),
        "shaping": ("antiphon/layout.py", "antiphon/shape.py"),
        "encoding": ("antiphon/layout.py:written", "floor.py:encoded"),
        "envelopes": ("antiphon/encode.py:wrapped", "antiphon/singer/messages.py:envelope", "floor.py:wrapped"),
        "keys and times taken out": ("antiphon/encode.py", "antiphon/layout.py:column"),
        "keys remembered": ("antiphon/sent.py",),
        "bounds, bookmark, state": ("antiphon/singer/walk.py", "antiphon/singer/state.py", "antiphon/moment.py", "antiphon/singer/stream.py:_remember"),
        "the next request": tuple(f"antiphon/{name}" for name in ("pages.py", "asking.py", "expected.py", "paging/", "fill.py", "client.py", "parts.py")),
        "writing out": ("antiphon/singer/messages.py", "floor.py:written"),
        "the SDK's messages": ("/singer_sdk/singerlib/",),
        "the stream: steps, counters": ("antiphon/singer/stream.py", "antiphon/singer/tap.py", "antiphon/ahead.py", "/singer_sdk/"),
    },
    "target": _INPUT,
    "hubspot": {
        **_HTTP,
        **_INPUT,
        "fields mapped": tuple(f"antiphon/writeback/{name}.py" for name in ("fields", "growth", "currency", "dates", "columns")),
        "matched": tuple(f"antiphon/writeback/{name}.py" for name in ("match", "alike", "lookup", "recent")),
        "ledger": (
            "antiphon/kept.py",
            *(f"antiphon/writeback/{name}.py" for name in ("ledger", "store", "records", "intents", "intent", "entry", "history", "tables")),
        ),
        "batches: put together, sent, in order": ("antiphon/writeback/", "antiphon/ahead.py"),
        "bodies made, answers read": tuple(f"antiphon/{name}" for name in ("changing.py", "client.py", "asking.py", "fill.py", "outcome.py", "formats/", "shape.py", "schema.py", "inplace.py", "sent.py", "pages.py")),
    },
}  # fmt: skip
"""By kind of run: the layers, in the order in which they are told, and the files that belong to them, or functions in files. What names a function goes first."""


class Layers:
    """The layers of one *kind* of run."""

    def __init__(self, kind: str) -> None:
        """Look at functions before files."""
        pairs = [(part, layer) for layer, parts in LAYERS[kind].items() for part in parts]
        self._functions = [(*part.split(":"), layer) for part, layer in pairs if ":" in part]
        self._files = [(part, layer) for part, layer in pairs if ":" not in part]

    def of(self, file: str, function: str) -> str | None:
        """Return the layer of a function; None where it is its caller's."""
        if "importlib._bootstrap" in file:
            return LOADING
        if function.startswith("<"):  # a comprehension is its function's, a module's own code its importer's
            return None
        for where, name, layer in self._functions:
            if function == name and file.endswith(where):
                return layer
        return next((layer for part, layer in self._files if part in file), None)
