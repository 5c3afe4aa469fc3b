"""The way back to the shop."""

from urllib.parse import urlsplit, urlunsplit

_PARAMETER = "transactionId"


def shop_address(return_url: str, transaction_id: str) -> str:
    """Return the shop's own address with `transactionId` added to its query. The rest stays byte for byte.

    The shop's own parameter of that name is left out: a shop that reads the first one would take the wrong one.
    """
    parts = urlsplit(return_url)
    kept = [pair for pair in parts.query.split("&") if pair and pair.partition("=")[0] != _PARAMETER]
    query = "&".join((*kept, f"{_PARAMETER}={transaction_id}"))
    return urlunsplit(parts._replace(query=query))
