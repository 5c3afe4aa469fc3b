"""PayU's invoices: created and expired by commands, paid on a page of their own.

The txnid of an invoice is good for one successful payment. A payer whose try failed may try again on the same page, and
each try is a payment with its own id. While the bank processes a try, the page takes no other. PayU may turn a failed
try into a charge days later, whatever became of the invoice meanwhile.
"""

import json
import re
from abc import abstractmethod
from typing import Any, Final

from sandbox.behaviours import Behaviour, Effect
from sandbox.hosted_pages import Act, HostedPage, PageState, no_page, page_request_of, page_url, see_other, show
from sandbox.http_types import BadRequestError, Reply, Request
from sandbox.ledger import LedgerSimulator
from sandbox.simulator import CHARGED, DECLINED, PENDING
from sandbox.store import Record

INVOICE: Final = "invoice"
PAGE_PATH: Final = "/processInvoice"
_PAGES_OF: Final = "invoice page"
_METHODS: Final = ("card", "upi", "netbanking", "wallet")
_REQUIRED: Final = ("amount", "txnid", "productinfo", "firstname", "email", "phone")
_KNOWN: Final = {
    *_REQUIRED,
    *("address1", "city", "state", "country", "zipcode", "template_id"),
    *("validation_period", "time_unit", "send_email_now", "send_sms"),
}
_UNIT_SECONDS: Final = {"D": 86_400, "H": 3_600, "M": 60, "S": 1}
_TXNID: Final = re.compile(r"[A-Za-z0-9-]{1,25}")


class Invoices(LedgerSimulator):
    """The invoices, for `PayUSimulator`."""

    @abstractmethod
    def paise(self, text: str) -> int:
        """The amount in paise. Raises `BadRequestError`."""

    @abstractmethod
    def book_try(
        self, invoice: Record, charge_id: str, behaviour: Behaviour, later_seconds: float, now: float
    ) -> Record:
        """Charge the payer, with PayU's own fields of a payment."""

    @abstractmethod
    def payu_id(self, name: str) -> str:
        """PayU's id of the payment with this name."""

    # -- commands

    def create_invoice(self, form: dict[str, str], now: float) -> Record:
        """The members of the answer have blanks in their names, as PayU's have."""
        details = _details(form["var1"])
        txnid = str(details["txnid"])
        if self.store.get(INVOICE, txnid) is not None or self.find(self.payu_id(txnid), now) is not None:
            raise BadRequestError("Invoice for this transaction ID already exists.")
        unit = str(details.get("time_unit", "D"))
        if unit not in _UNIT_SECONDS:
            raise BadRequestError("Invalid time_unit")
        invoice: Record = {
            **{name: str(details[name]) for name in _REQUIRED},
            "id": self.make_id("", "invoice", txnid) * 2,
            "paise": self.paise(str(details["amount"])),
            "expires_at": now + int(details.get("validation_period", 7)) * _UNIT_SECONDS[unit],
            "expired": False,
            "tries": [],
        }
        self.store.put(INVOICE, txnid, invoice)
        self.store.put(_PAGES_OF, invoice["id"], {"txnid": txnid})
        return {
            "Transaction Id": txnid,
            "Email Id": invoice["email"],
            "Phone": invoice["phone"],
            "Status": "Success",
            "URL": f"{self.public_url}{PAGE_PATH}?invoiceId={invoice['id']}",
        }

    def expire_invoice(self, form: dict[str, str], now: float) -> Record:
        """Expire the invoice, also while a try is under way: that one goes on."""
        invoice = self.store.get(INVOICE, form["var1"])
        if invoice is None:
            return {"status": 0, "msg": "Invoice does not exist for this txnid"}
        self.store.put(INVOICE, form["var1"], {**invoice, "expired": True})
        under_way = any(record["state"] == PENDING for record in self._tries(invoice, now))
        return {"status": 1, "msg": "Invoice expired" + (", Transaction is already in progress" if under_way else "")}

    def shown_try(self, txnid: str, now: float) -> str:
        """The id of the payment that a read by the txnid shows: the one that took money, else the last try."""
        invoice = self.store.get(INVOICE, txnid)
        tries = self._tries(invoice, now) if invoice else []
        paid = [record for record in tries if record["state"] == CHARGED]
        return str((paid or tries)[-1]["id"]) if tries else self.payu_id(txnid)

    # -- the page

    def open_invoice(self, request: Request) -> Reply:
        """The address that PayU gives out."""
        invoice_id = request.query.get("invoiceId", "")
        if request.method != "GET" or self.store.get(_PAGES_OF, invoice_id) is None:
            return no_page()
        return see_other(page_url(self.public_url, invoice_id))

    def answer_page(self, request: Request, now: float) -> Reply:
        asked = page_request_of(request)
        named = self.store.get(_PAGES_OF, asked.object_id) if asked else None
        invoice = self.store.get(INVOICE, named["txnid"]) if named else None
        if asked is None or invoice is None:
            return no_page()
        if asked.act is None:
            return show(self._page(invoice, now))
        if asked.act is not Act.LEAVE and self._state(invoice, now) is PageState.OPEN:
            self._try(invoice, asked.act, now)
        return see_other(page_url(self.public_url, invoice["id"]))  # an invoice has no address of the shop

    def _try(self, invoice: Record, act: Act, now: float) -> None:
        number = len(invoice["tries"])
        name = invoice["txnid"] if number == 0 else f"{invoice['txnid']} {number}"
        charge_id = self.payu_id(name)
        if act.behaviour.effect in {Effect.CHARGE, Effect.LATER_CHARGE, Effect.REOPENED_DECLINE}:
            self._give_back_late_charges(invoice, now)
        self.store.put(INVOICE, invoice["txnid"], {**invoice, "tries": [*invoice["tries"], charge_id]})
        self.book_try(invoice, charge_id, act.behaviour, act.bank_seconds, now)

    def _give_back_late_charges(self, invoice: Record, now: float) -> None:
        """A txnid takes money once: PayU gives back by itself what a bank charges for an earlier try (`autoRefund`)."""
        for record in self._tries(invoice, now):
            if record["state"] == DECLINED and "settles_at" in record:
                self.change(record, settles_to=DECLINED)

    def _page(self, invoice: Record, now: float) -> HostedPage:
        state = self._state(invoice, now)
        has_failed = any(record["state"] == DECLINED for record in self._tries(invoice, now))
        return HostedPage(
            provider="PayU",
            amount=invoice["paise"],
            currency="INR",
            methods=_METHODS,
            state=state,
            description=invoice["productinfo"],
            error="The payment failed. Please try again." if has_failed and state is PageState.OPEN else "",
            reopens=self.reopens,
        )

    def _state(self, invoice: Record, now: float) -> PageState:
        states = {record["state"] for record in self._tries(invoice, now)}
        if CHARGED in states:
            return PageState.PAID
        if PENDING in states:
            return PageState.PROCESSING
        return PageState.CLOSED if invoice["expired"] or now >= invoice["expires_at"] else PageState.OPEN

    def _tries(self, invoice: Record, now: float) -> list[Record]:
        found = (self.find(charge_id, now) for charge_id in invoice["tries"])
        return [record for record in found if record is not None]


def _details(text: str) -> dict[str, Any]:
    try:
        details = json.loads(text)
    except (ValueError, RecursionError):
        raise BadRequestError("Invalid JSON in var1") from None
    if not isinstance(details, dict):
        raise BadRequestError("Invalid JSON in var1")
    unknown = sorted(set(details) - _KNOWN)
    missing = [name for name in _REQUIRED if not details.get(name)]
    if unknown or missing or not _TXNID.fullmatch(str(details.get("txnid"))):
        raise BadRequestError(f"Invalid {[*unknown, *missing, 'txnid'][0]}")
    period = details.get("validation_period", 7)
    if isinstance(period, bool) or not isinstance(period, int) or period < 1:
        raise BadRequestError("Invalid validation_period")
    return details
