"""English."""

from typing import Final

from payflowx.application.checkout.page import Obstacle
from payflowx.domain.checkout.view import Screen
from payflowx.entrypoints.checkout.texts.table import ScreenTexts, Texts

ENGLISH: Final = Texts(
    language="en",
    direction="ltr",
    screens={
        Screen.CHOOSE: ScreenTexts(
            heading="Pay {amount} to {merchant}",
            sentence="Choose how to pay. You enter your payment details on the next page, a payment provider's.",
        ),
        Screen.OPENING: ScreenTexts(
            heading="The payment page is being prepared",
            sentence="This takes a few seconds. You can pay as soon as the page is ready.",
        ),
        Screen.OPEN: ScreenTexts(
            heading="Your payment page is ready",
            sentence="Go to the payment page and pay {amount} there.",
        ),
        Screen.CLOSING: ScreenTexts(
            heading="The payment page is being closed",
            sentence="Do not pay on it any more. As soon as it is closed for certain, you can choose again.",
        ),
        Screen.BLOCKED: ScreenTexts(
            heading="Your last try may still succeed",
            sentence="The payment provider may still take the money of your last try. So that you do not pay twice, "
            "no other way to pay is offered until this is certain.",
        ),
        Screen.PROCESSING: ScreenTexts(
            heading="Your payment is being processed",
            sentence="Your bank or the payment provider has not answered finally yet. Do not pay again.",
        ),
        Screen.PAID: ScreenTexts(
            heading="You have paid {amount} to {merchant}",
            sentence="This is your receipt. You can print it.",
        ),
        Screen.FAILED: ScreenTexts(
            heading="The payment did not succeed",
            sentence="Ask {merchant} for a new payment link if you still want to pay.",
        ),
        Screen.EXPIRED: ScreenTexts(
            heading="This payment link has expired",
            sentence="Ask {merchant} for a new payment link if you still want to pay.",
        ),
        Screen.CANCELLED: ScreenTexts(
            heading="This payment was cancelled",
            sentence="Ask {merchant} for a new payment link if you still want to pay.",
        ),
        Screen.GONE: ScreenTexts(
            heading="This page is no longer available",
            sentence="Ask {merchant} if you have a question about this payment.",
        ),
    },
    obstacles={
        Obstacle.METHOD_UNKNOWN: "This way to pay is not available. Choose one from the list.",
        Obstacle.DATA_MISSING: "Some details are missing. Fill them in, then continue.",
        Obstacle.ALREADY_CHOSEN: "A way to pay was chosen already, perhaps in another tab. This page shows the state.",
        Obstacle.TOO_MANY_STARTS: "There were too many tries within a minute. Wait a minute, then try again.",
        Obstacle.ATTEMPTS_USED: "No further try is possible with this payment link. Ask the shop for a new one.",
        Obstacle.NOT_OPEN: "There was nothing to close. This page shows how the payment stands.",
        Obstacle.NOT_CLOSABLE: "This payment page cannot be closed early. Pay there, or wait until it has expired.",
        Obstacle.BUSY: "The payment is being worked on just now. Wait a few seconds, then try again.",
    },
    methods={
        "card": "Card",
        "upi": "UPI",
        "netbanking": "Net banking",
        "wallet": "Wallet",
    },
    labels={
        "summary": "Payment",
        "merchant": "To",
        "amount": "Amount",
        "description": "For",
        "method": "Way to pay",
        "until": "Open until",
        "paid_at": "Date",
        "transaction": "Transaction",
        "choose": "How do you want to pay?",
        "details": "Your details",
        "details_why": "The payment provider needs them for its page.",
        "name": "Full name",
        "email": "E-mail address",
        "email_hint": "For example, name@example.com",
        "phone": "Phone number",
        "phone_hint": "With the country code, for example, +919812345678",
        "needed_for": "Needed for: {methods}",
        "one_way": "Once its page is open, you cannot choose another way until it has expired.",
        "continue": "Continue",
        "continue_with": "Continue: {method}",
        "pay": "Go to the payment page",
        "close": "Choose another way to pay",
        "check": "Check again",
        "back_to_shop": "Back to {merchant}",
        "back_to_page": "Back to the payment",
        "support": "Help with this payment",
        "failed_tries": "A try did not succeed. You can try again.",
        "errors": "There is a problem",
        "blocked_until": "You can choose again, at the latest: ",
        "error_prefix": "Error: ",
        "use_link": "To choose another way to pay, open your payment link again.",
    },
    errors={
        "method": "Choose how to pay.",
        "name": "Enter your full name, with at most 200 characters.",
        "email": "Enter an e-mail address, such as name@example.com.",
        "phone": "Enter a phone number with a plus, the country code and 7 to 15 digits, such as +919812345678.",
        "name_not_taken": "The payment provider does not take this name. Enter it in Latin letters.",
        "email_not_taken": "The payment provider does not take this e-mail address. Enter a shorter one, or one "
        "without unusual characters.",
        "phone_not_taken": "The payment provider does not take this phone number. Enter another one.",
        "card_number": "Do not enter a card number here.",
    },
    pages={
        "not_found": ScreenTexts(
            heading="This page does not exist",
            sentence="The address is wrong, or the payment link has expired. Ask the shop for a new one.",
        ),
        "too_many": ScreenTexts(
            heading="Too many tries",
            sentence="There were too many tries within a minute. Wait a minute, then try again.",
        ),
        "not_allowed": ScreenTexts(
            heading="This cannot be done here",
            sentence="Open your payment link again.",
        ),
        "too_large": ScreenTexts(heading="Too much was sent", sentence="Go back, and enter less."),
        "malformed": ScreenTexts(
            heading="This could not be read",
            sentence="Go back to your payment link, and try again.",
        ),
        "unavailable": ScreenTexts(
            heading="The page does not answer just now",
            sentence="Nothing was lost. Wait a moment, then try again.",
        ),
        "failed": ScreenTexts(
            heading="Something went wrong on our side",
            sentence="Open your payment link again: it shows how the payment stands. Do not pay twice.",
        ),
    },
)
