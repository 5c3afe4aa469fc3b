"""Every limit of the product, each with its reason."""

from typing import Final

SECOND_MS: Final = 1_000
MINUTE_MS: Final = 60 * SECOND_MS
HOUR_MS: Final = 60 * MINUTE_MS
DAY_MS: Final = 24 * HOUR_MS

# Requests
MAX_BODY_BYTES: Final = 64 * 1024
MAX_JSON_DEPTH: Final = 8
MAX_HEADER_BYTES: Final = 8 * 1024
MAX_IDEMPOTENCY_KEY_CHARS: Final = 255
MAX_AMOUNT: Final = 999_999_999_999
MAX_METADATA_KEYS: Final = 20
MAX_METADATA_KEY_CHARS: Final = 40
MAX_METADATA_VALUE_CHARS: Final = 500
MAX_DESCRIPTION_CHARS: Final = 500
MAX_ORDER_ID_CHARS: Final = 64
MAX_STATEMENT_DESCRIPTOR_SUFFIX_CHARS: Final = 22
"""The length of a card statement's line. A provider that puts the merchant's name first has less room."""
MAX_EMAIL_CHARS: Final = 254
MAX_ADDRESS_LINE_CHARS: Final = 200
MAX_CITY_CHARS: Final = 100
MAX_POSTAL_CODE_CHARS: Final = 20
MAX_URL_CHARS: Final = 2_048
MAX_TOKEN_CHARS: Final = 255
MAX_FREE_TEXT_BYTES: Final = 2_048
"""Customer, receipt address, metadata, description, descriptor and URLs together.

Refused on acceptance only: an outcome must always fit.
"""

# Listing
MAX_PAGE_ITEMS: Final = 100
DEFAULT_PAGE_ITEMS: Final = 20
MAX_LIST_RANGE_DAYS: Final = 366
MAX_LIST_DAYS_PER_PAGE: Final = 31
MAX_LIST_ROWS_PER_PAGE: Final = 300
MAX_LIST_PARTITIONS: Final = 8
"""Partitions of a merchant's day: each one is a query more for every page of a list."""

# Attempts
MAX_ATTEMPTS: Final = 8
"""Attempts are stored in the payment item: eight keep it far below DynamoDB's limit of 400 KB."""
MAX_RETRIES_CEILING: Final = MAX_ATTEMPTS - 1
MAX_STEPS_PER_ATTEMPT: Final = 4
MAX_STEPS_PER_INQUIRY: Final = 8
"""Reads of one inquiry or cancellation: a provider's list may have several pages."""
MAX_COMMIT_TRIES: Final = 5
MAX_RECORD_TRIES: Final = 8
"""An outcome is stored only if its item is unchanged; webhooks and concurrent operations conflict."""
MAX_CLAIM_TRIES: Final = 3
MAX_PROVIDER_TEXT_CHARS: Final = 200
MAX_REFERENCE_CHARS: Final = 100

# Operations
MAX_ACCEPT_TRIES: Final = 8
"""A capture or refund is stored only if its payment is unchanged; concurrent requests conflict."""
REPORT_AHEAD_MS: Final = MINUTE_MS
"""So far ahead of our clock a provider's clock may be. A report with a later time counts as one of now."""
MAX_EVENTS_BEFORE_UNSIGNED_REPORT: Final = 1_000
"""A payment whose audit log is longer takes no further report that anyone may have sent."""
MAX_EVENTS_BEFORE_REFUND: Final = 20_000
"""A payment whose audit log is longer takes no further refund, so that its operations can always be listed.

Each refund adds at least one event at its acceptance, and one at its end.
"""
MAX_OPERATION_RETRIES: Final = 5
"""Retries of an operation proven not sent or not accepted; then it fails and frees its amount."""

# Inbound webhooks
MAX_WEBHOOK_BYTES: Final = 256 * 1024
SEEN_EVENT_LIFETIME_MS: Final = 60 * DAY_MS
"""How long a repeated webhook is recognized; a later one only causes an inquiry."""
MAX_EVENT_INQUIRIES_A_DAY: Final = 16
"""Inquiries about one payment, or one operation, that unverified webhooks cause.

Further webhooks about closed attempts cause one inquiry together, on the next day: whoever can send valid but useless
ones must not keep the provider busy.
"""
MAX_EXPEDITED_INQUIRIES_A_DAY: Final = MAX_EVENT_INQUIRIES_A_DAY // 2
"""Those of them that bring a scheduled inquiry forward. The rest is kept for closed attempts, which have none."""
EVENT_INQUIRY_RETRY_DELAYS_SECONDS: Final = (60, 300, 900, *(3_600,) * 22)
"""Delays of an inquiry about a closed attempt that the provider did not answer: for about a day."""
PAID_OBJECT_READ_RETRY_DELAYS_SECONDS: Final = (*EVENT_INQUIRY_RETRY_DELAYS_SECONDS, *(86_400,) * 29)
"""The same for a paid hosted object: then daily for a month.

An event about a further charge may be all that tells of it, and no attempt of a paid payment waits for the read.
"""
PROVIDER_EVENT_RETRY_DELAYS_SECONDS: Final = (10, 60, 300)
"""Delays of a webhook that arrived before our own write, or while a worker holds the lease."""

# The lease outlives any worker that holds it: the function dies after 30 s, the lease after 45 s.
LEASE_MS: Final = 45 * SECOND_MS
DUE_AFTER_LEASE_MS: Final = 15 * SECOND_MS
"""The sweeper finds the item of a dead worker shortly after its lease has ended."""
LATEST_DUE_AFTER_LEASE_MS: Final = 60 * SECOND_MS
"""A due time that is no later after the lease need not be written again by the claim."""
MIN_TIME_TO_SEND_MS: Final = 15 * SECOND_MS
"""A call takes 12 s at most; the rest is for storing its result."""

# Recovery
DUE_AFTER_ACCEPT_MS: Final = 90 * SECOND_MS
DUE_SHARDS: Final = 16
"""Shards of what is due, where no deployment has raised their number."""
MAX_DUE_SHARDS: Final = 64
EVER_DUE_MS: Final = 366 * DAY_MS
"""Nothing is due later than so long from now."""
MAX_DRIVES: Final = 40
MIN_CANCEL_INTERVAL_MS: Final = 2 * MINUTE_MS
"""A repeated cancellation brings the next try forward to this time after the last change: a try calls the provider."""
MAX_QUEUE_DELAY_SECONDS: Final = 900
"""The longest delay of an SQS message; a longer wait is left to the sweeper."""
EARLY_GRACE_MS: Final = 1 * SECOND_MS
"""Clocks of two machines differ: a message that arrives this much early is on time."""

# Outbound webhooks
MAX_ENDPOINTS: Final = 5
MAX_EVENT_TYPES: Final = 30
ENDPOINTS_REMEMBERED_MS: Final = MINUTE_MS
"""How long a writer remembers that a merchant has no endpoint."""
CATCH_UP_SPAN_MS: Final = 2 * ENDPOINTS_REMEMBERED_MS
"""How long after the first pass an event may still be written without knowledge of the endpoint: clocks differ."""
CATCH_UP_AFTER_MS: Final = 3 * MINUTE_MS
CATCH_UP_AGAIN_AFTER_MS: Final = HOUR_MS
"""For writers that were held up, and for an index that follows late."""
SECRET_OVERLAP_MS: Final = DAY_MS
"""How long the previous secret signs after a rotation."""
ENDPOINT_PATIENCE_MS: Final = 3 * DAY_MS
"""An endpoint without a successful delivery for this time is disabled."""
DELIVERY_GRACE_MS: Final = 90 * SECOND_MS
"""How long the queue's message may take to wake the deliverer before the sweeper does."""
MAX_RETRY_AFTER_MS: Final = DAY_MS
"""The longest Retry-After of an endpoint that is honoured."""
POST_TIMEOUT_SECONDS: Final = 15
MAX_POST_ANSWER_BYTES: Final = 64 * 1024
MAX_ADDRESSES_TRIED: Final = 3

# Operators
MAX_KEYS_PER_MERCHANT: Final = 100
"""Includes ended keys, which are kept as records."""
MAX_KEY_LIFETIME_DAYS: Final = 3_650
MAX_KEY_OVERLAP_HOURS: Final = 720
MAX_SECRET_CHARS: Final = 4_096
MAX_DEAD_LETTERS_PER_READ: Final = 50
"""Each may query the log, and the command must end within the function's 30 seconds."""
