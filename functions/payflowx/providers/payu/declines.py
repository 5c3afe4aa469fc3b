"""The declines that PayU documents, by its code or by its sentence. Pure.

The answer to a debit has no code: its `field9` describes the reason in words.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from payflowx.domain.shared.statuses import DeclineKind

SOURCE: Final = "https://docs.payu.in/reference/issuer-decline-error-codes"
"""The page that lists every row."""

_SOFT: Final = DeclineKind.SOFT
_HARD: Final = DeclineKind.HARD
_FUNDS: Final = DeclineKind.FUNDS


@dataclass(frozen=True, slots=True)
class DocumentedDecline:
    """`response`: the issuer's response code that PayU maps to its own. `sentence`: as PayU spells it."""

    code: str
    kind: DeclineKind
    response: str
    sentence: str


DECLINES: Final = (
    # -- the account has too little, or a limit is reached
    DocumentedDecline("E706", _FUNDS, "51", "The account against which the payment was made has insufficient funds."),
    DocumentedDecline("E909", _FUNDS, "61", "Transaction amount exceeds the withdrawal limit of the user account"),
    DocumentedDecline("E9230", _FUNDS, "98", "Exceeds Cash Limit"),
    # -- may pass later or elsewhere
    DocumentedDecline("E348", _SOFT, "1", "Transaction declined by the issuer"),
    DocumentedDecline("E307", _SOFT, "5", "Transaction declined with do not honor"),
    DocumentedDecline("E1903", _SOFT, "6", "Authorization failed at Bank"),
    DocumentedDecline("E345", _SOFT, "19", "Transaction declined due to technical failure"),
    DocumentedDecline("E308", _SOFT, "20", "Transaction Failed at bank end."),
    DocumentedDecline("E9208", _SOFT, "22", "Suspected Malfunction"),
    DocumentedDecline("E312", _SOFT, "63", "Bank denied transaction on the card."),
    DocumentedDecline("E1629", _SOFT, "70", "Transaction declined due to technical failure at bank end"),
    DocumentedDecline("E9227", _SOFT, "90", "Cut-off in Progress"),
    DocumentedDecline(
        "E9254", _SOFT, "91", "Authorization Platform or Switch / Issuer system inoperative or Not Supported"
    ),
    DocumentedDecline("E4158", _SOFT, "91", "Transaction failed due to timeout at acquirer's end"),
    # -- lost, stolen, closed, fraud, invalid
    DocumentedDecline("E310", _HARD, "4", "Card has been classified as lost and has been blocked."),
    DocumentedDecline(
        "E1632", _HARD, "14", "Transaction declined due to either incorrect cvv/expiry or card validation failure"
    ),
    DocumentedDecline("E305", _HARD, "15", "The transaction failed due to invalid or absent card number."),
    DocumentedDecline("E9205", _HARD, "17", "Customer Cancellation"),
    DocumentedDecline(
        "E324", _HARD, "34", "Transaction was declined by the issuing bank due to suspected fraudulent activities"
    ),
    DocumentedDecline(
        "E325",
        _HARD,
        "36",
        "Transaction declined due to card not enabled for online transactions or user / Bank Defined Restrictions",
    ),
    DocumentedDecline("E717", _HARD, "46", "Transaction declined as bank reported account to be closed"),
    DocumentedDecline("E311", _HARD, "54", "Transaction declined due to invalid expiry details or the card is expired"),
    DocumentedDecline("E4346", _HARD, "56", "Transaction failed due to no card details from customer's bank"),
    DocumentedDecline("E1642", _HARD, "57", "Transaction not permitted to cardholder"),
    DocumentedDecline("E1626", _HARD, "62", "Restricted card"),
)
"""Where PayU has one sentence for two codes (E312 and E207, E348 and E337), the more frequent one is listed."""


def _plain(sentence: str) -> str:
    return " ".join(sentence.split()).rstrip(".").casefold()


_BY_CODE: Final[Mapping[str, DocumentedDecline]] = {row.code: row for row in DECLINES}
_BY_SENTENCE: Final[Mapping[str, DocumentedDecline]] = {_plain(row.sentence): row for row in DECLINES}


def documented(code: object, sentence: object) -> DocumentedDecline | None:
    """Return the row of an answer's code, else of its sentence; None for a reason that is not documented."""
    found = _BY_CODE.get(code) if isinstance(code, str) else None
    if found is None and isinstance(sentence, str):
        found = _BY_SENTENCE.get(_plain(sentence))
    return found
