"""The routing document as JSON, and back to the domain's words. Strict: an unknown word is a fault."""

from typing import Annotated, Final

import msgspec

from payflowx.domain.routing.routing import Conditions, RoutingDocument, Rule, Share
from payflowx.domain.shared.errors import ConfigurationError
from payflowx.domain.shared.limits import MAX_AMOUNT

MAX_DOCUMENT_BYTES: Final = 64 * 1024

_Name = Annotated[str, msgspec.Meta(min_length=1, max_length=60, pattern="^[A-Za-z0-9 _.-]+$")]
_Names = Annotated[list[_Name], msgspec.Meta(min_length=1, max_length=200)]
_Amount = Annotated[int, msgspec.Meta(ge=1, le=MAX_AMOUNT)]


class _Strict(msgspec.Struct, forbid_unknown_fields=True, rename="camel", kw_only=True):
    pass


class _When(_Strict):
    currencies: _Names | None = None
    amount_at_least: _Amount | None = None
    amount_below: _Amount | None = None
    countries: _Names | None = None
    payment_method_types: _Names | None = None
    merchants: _Names | None = None
    metadata: dict[str, list[str]] = {}


class _Share(_Strict):
    percent: int
    providers: list[_Name]


class _Use(_Strict):
    providers: list[_Name] | None = None
    split: list[_Share] | None = None


class _Rule(_Strict):
    name: _Name
    when: _When
    use: _Use


class _Document(_Strict):
    version: _Name
    rules: list[_Rule]


def decode_routing_document(data: bytes) -> RoutingDocument:
    """Raises `ConfigurationError` with the fault and its place."""
    if len(data) > MAX_DOCUMENT_BYTES:
        raise ConfigurationError(f"the routing document is larger than {MAX_DOCUMENT_BYTES} bytes")
    try:
        document = msgspec.json.decode(data, type=_Document)
    except msgspec.MsgspecError as error:
        raise ConfigurationError(f"the routing document is wrong: {error}") from error
    return RoutingDocument(version=document.version, rules=tuple(_rule(rule) for rule in document.rules))


def _rule(rule: _Rule) -> Rule:
    when = rule.when
    return Rule(
        name=rule.name,
        shares=_shares(rule),
        when=Conditions(
            currencies=_set(when.currencies),
            amount_at_least=when.amount_at_least,
            amount_below=when.amount_below,
            countries=_set(when.countries),
            payment_method_types=_set(when.payment_method_types),
            merchants=_set(when.merchants),
            metadata={key: frozenset(values) for key, values in when.metadata.items()},
        ),
    )


def _shares(rule: _Rule) -> tuple[Share, ...]:
    if (rule.use.providers is None) == (rule.use.split is None):
        raise ConfigurationError(f"rule {rule.name}: use must hold either providers or split")
    if rule.use.split is not None:
        return tuple(Share(percent=s.percent, providers=tuple(s.providers)) for s in rule.use.split)
    return (Share(percent=100, providers=tuple(rule.use.providers or ())),)


def _set(values: list[str] | None) -> frozenset[str] | None:
    return None if values is None else frozenset(values)
