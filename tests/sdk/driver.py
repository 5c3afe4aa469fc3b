"""Runs one provider's own SDK in a process and an environment of its own. It imports nothing of this repository.

A request is a line of JSON on standard input, an answer a line on standard output:

    {"call": "refunds.create", "with": ["arguments"], "and": {"named": "arguments"}}
    -> {"http": {"method": ..., "url": ..., "headers": {...}, "body": base64}}     the SDK wants to send this
    <- {"status": 200, "headers": {...}, "body": base64}                           what the provider answers
    -> {"returned": ...} or {"raised": "the class", "message": "..."}

There is no network: the layer that all four SDKs send through is replaced, and a socket that is opened all the same
raises. `null` instead of an answer ends the call with `{"returned": null}`.
"""

import ast
import base64
import builtins
import functools
import importlib
import inspect
import io
import itertools
import json
import re
import socket
import sys
import types
import typing
import warnings
from typing import Any

import urllib3

KEY_ID, KEY_SECRET = "the_key_id", "the_key_secret"
CASHFREE_API_VERSION = "2025-01-01"
"""Ours. The SDK sends another one by itself, and lets its user say which."""


class AnsweredNothing(BaseException):
    """Ends a call whose request is all that was asked for; no SDK catches it."""


# --- the line to the tests ------------------------------------------------------------------------------------------


def say(message: Any) -> None:
    print(json.dumps(message), file=OUTPUT, flush=True)


def urlopen(pool: Any, method: str, url: str, body: Any = None, headers: Any = None, **options: Any) -> Any:
    """Stands for `urllib3.HTTPConnectionPool.urlopen`: the SDKs end here, with requests or without."""
    data = body.encode() if isinstance(body, str) else body or b""
    shown = {name.lower(): str(value) for name, value in (headers or {}).items()}
    address = f"{pool.scheme}://{pool.host}{url}"
    say({"http": {"method": method, "url": address, "headers": shown, "body": base64.b64encode(data).decode()}})
    answer = json.loads(sys.stdin.readline())
    if answer is None:
        raise AnsweredNothing
    return urllib3.HTTPResponse(
        body=io.BytesIO(base64.b64decode(answer["body"])),
        status=answer["status"],
        headers=answer["headers"],
        preload_content=options.get("preload_content", True),
    )


def no_network(*_arguments: Any, **_named: Any) -> Any:
    raise OSError("no SDK may reach a network here")


# --- the SDKs -------------------------------------------------------------------------------------------------------


def stripe() -> Any:
    client = importlib.import_module("stripe").StripeClient(KEY_SECRET)
    client.sdk = importlib.import_module("stripe")
    return client


def razorpay() -> Any:
    client = importlib.import_module("razorpay").Client(auth=(KEY_ID, KEY_SECRET))
    codes = importlib.import_module("razorpay.constants").ERROR_CODE
    client.error_codes = lambda: [value for name, value in vars(codes).items() if name.isupper()]
    return client


def cashfree() -> Any:
    sdk = importlib.import_module("cashfree_pg.api_client")
    client = sdk.Cashfree(sdk.CFEnvironment.PRODUCTION, KEY_ID, KEY_SECRET)
    client.sdk = importlib.import_module("cashfree_pg")
    client.XApiVersion = CASHFREE_API_VERSION
    return client


def payu() -> Any:
    client = importlib.import_module("payu_websdk").Client(KEY_ID, KEY_SECRET, "LIVE")
    hasher = importlib.import_module("resources.hasher")
    client.command_hash = lambda fields: hasher.APIHash({"key": KEY_ID, "salt": KEY_SECRET}, fields)
    client.commands = lambda: [name for name in dir(client) if not name.startswith("_")]
    return client


# --- what its types say ---------------------------------------------------------------------------------------------


class Names(dict[str, Any]):
    """What a package exports, for annotations whose module imports the name for type checkers only.

    `Card` may be called `CardResource` there. What the package does not export itself, Stripe's issuing for one, may
    be anything.
    """

    def __missing__(self, name: str) -> Any:
        return self.get(name.removesuffix("Resource"), typing.Any)


@functools.cache
def hints_of(model: Any) -> dict[str, Any]:
    package, module = sys.modules[model.__module__.partition(".")[0]], sys.modules[model.__module__]
    known = Names({**vars(builtins), **vars(typing), **vars(package), **vars(module)})
    return typing.get_type_hints(model, localns=known)


def words(model: Any, field: str) -> list[str]:
    """The words that the SDK allows: those of a Literal, or those that a validator names when it refuses another.

    Raises LookupError where it allows any.
    """
    literals = [
        word for part in parts_of(hints_of(model)[field]) for word in typing.get_args(part) if isinstance(word, str)
    ]
    if literals:
        return sorted(literals)
    try:
        model.model_validate({field: "no such word"})
    except ValueError as error:
        listed = re.search(r"must be one of enum values (\(.+?\))", str(error))
        allowed = ast.literal_eval(listed[1])
        return sorted([allowed] if isinstance(allowed, str) else allowed)
    raise LookupError(f"{model.__name__}.{field} takes any word")


def description(model: Any, field: str) -> str:
    """Pydantic keeps it; Stripe writes it below the field."""
    if hasattr(model, "model_fields"):
        return model.model_fields[field].description
    found = re.search(
        rf'^    {field}: .+?\n    """\n(.+?)\n    """', inspect.getsource(model), re.DOTALL | re.MULTILINE
    )
    return found[1].strip()


def unlike(value: Any, hint: Any, place: str) -> list[str]:
    """Where a value is not what the SDK's annotation says: wrong types, and fields that it does not name.

    Stripe's objects take whatever comes; their types are annotations, which nothing checks at run time.
    """
    options = parts_of(hint)
    found = [unlike_one(value, option, place) for option in options]
    return min(found, key=len)


def unlike_one(value: Any, hint: Any, place: str) -> list[str]:
    origin = typing.get_origin(hint)
    if origin is typing.Literal:
        return [] if value in typing.get_args(hint) else [f"{place} is {value!r}, which is no word of the SDK's"]
    if origin in (list, dict):
        if not isinstance(value, origin):
            return [f"{place} is no {origin.__name__}"]
        (inner,) = typing.get_args(hint)[-1:] or (typing.Any,)
        items = enumerate(value) if origin is list else value.items()
        return [wrong for name, item in items for wrong in unlike(item, inner, f"{place}.{name}")]
    if hint is typing.Any:
        return []
    if hint is type(None):
        return [] if value is None else [f"{place} is not null"]
    if isinstance(hint, type) and hint.__module__ != "builtins":
        return unlike_object(value, hint, place)
    right = type(value) is hint or (hint is float and type(value) is int)
    return [] if right else [f"{place} is {value!r}, and not a {getattr(hint, '__name__', hint)}"]


def unlike_object(value: Any, kind: Any, place: str) -> list[str]:
    if not isinstance(value, dict):
        return [f"{place} is {value!r}, and no {kind.__name__}"]
    hints = hints_of(kind)
    known = getattr(kind, "OBJECT_NAME", None)
    if known is not None and value.get("object") != known:
        return [f"{place} is a {value.get('object')}, and no {known}"]
    wrong = [f"{place}.{name} is no field of {kind.__name__}" for name in value if name not in hints]
    wrong += [f"{place}.{name} is missing" for name in getattr(kind, "__required_keys__", ()) if name not in value]
    return wrong + [w for name in value if name in hints for w in unlike(value[name], hints[name], f"{place}.{name}")]


def parts_of(hint: Any) -> list[Any]:
    """The alternatives of a union, without the wrappers."""
    origin = typing.get_origin(hint)
    if origin in (typing.Union, types.UnionType):
        return [inner for part in typing.get_args(hint) for inner in parts_of(part)]
    if getattr(origin, "__name__", "") in ("NotRequired", "Required", "Annotated", "ClassVar"):
        return parts_of(typing.get_args(hint)[0])
    return [hint]


# --- calls ----------------------------------------------------------------------------------------------------------


def find(start: Any, path: str) -> Any:
    for name in path.split("."):
        start = getattr(start, name)
    return start


def plain(value: Any) -> Any:
    """As JSON shows it."""
    if hasattr(value, "data") and hasattr(value, "status_code"):
        value = value.data
    if isinstance(value, list):
        return [plain(item) for item in value]
    for name in ("to_dict_recursive", "to_dict"):
        if hasattr(value, name):
            return getattr(value, name)()
    return value if isinstance(value, (str, int, float, bool, dict, type(None))) else str(value)


def modelled(method: Any, arguments: list[Any]) -> list[Any]:
    """Cashfree's SDK takes models, which are made from plain objects here; the others take those as they are."""
    wanted = [parts_of(hint)[0] for hint in hints_of(method).values()] if hasattr(method, "raw_function") else []
    pairs = itertools.zip_longest(arguments, wanted[: len(arguments)])
    return [hint.from_dict(given) if hasattr(hint, "from_dict") else given for given, hint in pairs]


def answer(client: Any, request: dict[str, Any]) -> Any:
    if "words" in request:
        return words(find(client, request["words"]), request["of"])
    if "description" in request:
        return description(find(client, request["description"]), request["of"])
    if "unlike" in request:
        kind = find(client, request["unlike"])
        hint = hints_of(kind)[request["parameter"]] if request["parameter"] else kind
        return unlike(request["value"], hint, request["unlike"].rpartition(".")[2])
    method = find(client, request["call"])
    return plain(method(*modelled(method, request["with"]), **request["and"]))


def main() -> None:
    client = {"stripe": stripe, "razorpay": razorpay, "cashfree": cashfree, "payu": payu}[sys.argv[1]]()
    urllib3.HTTPConnectionPool.urlopen = urlopen
    socket.socket.connect = socket.create_connection = no_network
    say({"returned": "ready"})
    for line in sys.stdin:
        try:
            say({"returned": answer(client, json.loads(line))})
        except AnsweredNothing:
            say({"returned": None})
        except Exception as error:
            say({"raised": type(error).__name__, "message": str(error)})


if __name__ == "__main__":
    warnings.simplefilter("ignore")  # their own deprecations are no concern of these tests
    OUTPUT, sys.stdout = sys.stdout, sys.stderr  # an SDK that prints must not disturb the answers
    main()
