"""What stands behind every protocol: who may come in, and calling a method of a model."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from antiphon.sandbox.odoo import failures, methods
from antiphon.sandbox.odoo.database import ADMIN, Database, Env, Records
from antiphon.sandbox.odoo.registry import Model

LEGACY = ("xmlrpc", "jsonrpc", "session")


@dataclass(slots=True)
class Instance:
    """One server of the vendor's: its databases (the first holds the data), its version, and one user who may come in.

    `password` None is a user who has no local password, as on the vendor's own hosting. `expired` refuses everything.
    """

    db: Database
    version: str
    protocols: frozenset[str]
    databases: tuple[str, ...]
    login: str
    password: str | None
    api_key: str
    list_databases: bool = False
    documented: bool = True
    expired: bool = False
    sessions: dict[str, int] = field(default_factory=dict)

    @property
    def major(self) -> int:
        """The number before the dot."""
        return self.db.version

    @property
    def version_info(self) -> list[Any]:
        """The version in parts, as every version call has it."""
        major, _, minor = self.version.rpartition("~")[2].partition(".")
        return [int(major), int(minor or 0), 0, "final", 0, ""]

    def uid(self, database: Any, login: Any, secret: Any) -> int | None:
        """The user whose credentials these are. Raises Failure for a database that does not exist."""
        self.reach(database)
        if database != self.db.name or login != self.login or not self.opens(secret):
            return None
        return ADMIN

    def reach(self, database: Any) -> None:
        """Raise what PostgreSQL says of a database that does not exist."""
        if database not in self.databases:
            raise failures.Failure(
                "psycopg2.OperationalError",
                'connection to server on socket "/var/run/postgresql/.s.PGSQL.5432" failed: '
                f'FATAL:  database "{database}" does not exist\n',
            )

    def opens(self, secret: Any) -> bool:
        """Whether this is the password, or the API key in its place."""
        return not self.expired and secret is not None and secret in {self.password, self.api_key}


def dispatch(instance: Instance, service: str, method: str, params: list[Any]) -> Any:
    """One call of the services that XML-RPC and JSON-RPC share. Raises Failure."""
    if service == "common":
        return _common(instance, method, params)
    if service == "db":
        return _database(instance, method)
    if service != "object":
        raise failures.Failure("builtins.KeyError", repr(service), [service])
    if method not in {"execute", "execute_kw"}:
        raise failures.Failure("builtins.NameError", f"Method not available {method}")
    if len(params) < 5:
        raise failures.wrong_type(f"{method}() missing required positional arguments")
    database, uid, secret, model, name, *rest = params
    instance.reach(database)
    if uid != ADMIN or database != instance.db.name or not instance.opens(secret):
        raise failures.denied()
    if method == "execute_kw":
        args, kwargs = (rest[0] if rest else []), (rest[1] if len(rest) > 1 else None) or {}
    else:
        args, kwargs = rest, {}
    return call_kw(instance.db, uid, model, name, args, kwargs)


def _common(instance: Instance, method: str, params: list[Any]) -> Any:
    if method == "version":
        return {
            "server_version": instance.version,
            "server_version_info": instance.version_info,
            "server_serie": instance.version,
            "protocol_version": 1,
        }
    wanted = {"authenticate": 4, "login": 3}.get(method)
    if wanted is None:
        raise failures.Failure("builtins.Exception", f"Method not found: {method}")
    if len(params) != wanted:
        raise failures.wrong_type(f"exp_{method}() takes {wanted} positional arguments but {len(params)} were given")
    return instance.uid(*params[:3]) or False


def _database(instance: Instance, method: str) -> Any:
    if method == "server_version":
        return instance.version
    if method == "list" and instance.list_databases:
        return list(instance.databases)
    raise failures.denied()


def call_kw(db: Database, uid: int, name: str, method: str, args: Any, kwargs: Any) -> Any:
    """Call a method with positional arguments, the first being the ids unless it is a method of the model.

    Raises Failure. What the method did is committed by the time its value is returned.
    """
    model = db.models.get(name)
    if model is None:
        raise failures.user(f"Object {name} doesn't exist")
    if method.startswith("_") or method == "init":
        raise failures.access(f"Private methods (such as {name}.{method}) cannot be called remotely.")
    known = methods.of(model, db.version).get(method)
    if known is None:
        raise failures.Failure("builtins.AttributeError", f"The method '{name}.{method}' does not exist")
    args, kwargs = list(args), dict(kwargs)
    context = kwargs.pop("context", None) or {}
    ids: list[int] = []
    if not known.of_model:
        given = args.pop(0) if args else kwargs.pop("ids", [])
        ids = [given] if isinstance(given, int) and given else list(given or [])
    result = _run(db, uid, model, known, ids, context, args, kwargs)
    if not isinstance(result, Records):
        return result
    one = method == "create" and isinstance((args or [kwargs.get("vals_list")])[0], Mapping)
    if one or (method == "copy" and db.version < 18):
        return result.ids[0]
    return result.ids


def call_named(db: Database, uid: int, name: str, method: str, body: dict[str, Any]) -> Any:
    """Call a method the JSON-2 way: `ids`, `context`, and every parameter by its name. Raises Failure."""
    model = db.models.get(name)
    if model is None:
        raise failures.http("NotFound", 404, f"the model {name!r} does not exist")
    known = methods.of(model, db.version).get(method)
    if known is None or method.startswith("_"):
        raise failures.http("NotFound", 404, f"The method '{name}.{method}' does not exist")
    kwargs = {key: value for key, value in body.items() if key not in {"ids", "context"}}
    ids, context = body.get("ids") or [], body.get("context") or {}
    if known.of_model and ids:
        raise failures.http("UnprocessableEntity", 422, f"cannot call {name}.{method} with ids")
    try:
        known.signature.bind(**kwargs)
    except TypeError as error:
        raise failures.http("UnprocessableEntity", 422, str(error)) from None
    result = _run(db, uid, model, known, list(ids), context, [], kwargs)
    return result.ids if isinstance(result, Records) else result


def _run(
    db: Database,
    uid: int,
    model: Model,
    method: methods.Method,
    ids: list[int],
    context: dict[str, Any],
    args: list[Any],
    kwargs: dict[str, Any],
) -> Any:
    records = Records(Env(db, uid, dict(context)), model, ids)
    try:
        method.signature.bind(*args, **kwargs)
    except TypeError as error:
        raise failures.wrong_type(f"BaseModel.{method.call.__name__}() {error}") from None
    try:
        with db.transaction():
            return method.call(records, *args, **kwargs)
    except (TypeError, ValueError, KeyError, AttributeError, IndexError) as error:
        # A value of a shape nobody foresaw breaks the vendor's own Python in the same way.
        raise failures.Failure(f"builtins.{type(error).__name__}", str(error)) from error


def reference(instance: Instance, model: Model) -> dict[str, Any]:
    """A model's document under `/doc-bearer/`: its fields, and its methods with their parameters."""
    shown = {}
    for name, method in methods.of(model, instance.major).items():
        api = [word for word, true in (("model", method.of_model), ("readonly", method.reads)) if true]
        shown[name] = {
            "signature": str(method.signature.replace(return_annotation=inspect.Signature.empty)),
            "parameters": {key: _parameter(of) for key, of in method.signature.parameters.items()},
            "api": api,
            "doc": inspect.getdoc(method.call),
            "model": "core",
            "module": "core",
        }
    env = Env(instance.db)
    described = methods.fields_get(Records(env, model, []))
    return {
        "model": model.name,
        "name": model.label,
        "doc": None,
        "fields": {name: {**of, "module": model.module} for name, of in described.items()},
        "methods": shown,
    }


def _parameter(of: inspect.Parameter) -> dict[str, Any]:
    known: dict[str, Any] = {"name": of.name, "annotation": str(of.annotation)}
    if of.default is not inspect.Parameter.empty:
        known["default"] = of.default
    if of.kind is not inspect.Parameter.POSITIONAL_OR_KEYWORD:
        known["kind"] = of.kind.name
    return known


def index(instance: Instance) -> dict[str, Any]:
    """The document `/doc-bearer/index.json`: modules and models with the names of their fields and methods."""
    models = instance.db.models.values()
    return {
        "modules": sorted({model.module for model in models}),
        "models": [
            {
                "model": model.name,
                "name": model.label,
                "fields": {of.name: {"string": of.string} for of in model.fields.values()},
                "methods": sorted(methods.of(model, instance.major)),
            }
            for model in models
            if (model.name, "read") not in instance.db.denied
        ],
    }
