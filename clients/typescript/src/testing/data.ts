/** Generated from `clients/scenarios.json` and `docs/openapi.json` by `python -m clients.generator`. Do not edit. */

export const DATA = {
 "requestFields": {
  "amount": null,
  "currency": null,
  "paymentMethod": null,
  "capture": "automatic",
  "customer": null,
  "description": null,
  "metadata": null,
  "statementDescriptorSuffix": null,
  "receiptEmail": null,
  "initiator": "customer",
  "savePaymentMethod": false,
  "returnUrl": null,
  "expiresInSeconds": null,
  "orderId": null,
  "oncePerOrder": true,
  "idempotencyKey": null
 },
 "requiredFields": [
  "amount",
  "currency",
  "paymentMethod"
 ],
 "emptyPayment": {
  "transactionId": null,
  "status": null,
  "amount": 0,
  "currency": null,
  "capture": null,
  "capturable": 0,
  "captured": 0,
  "refundable": 0,
  "refunded": 0,
  "provider": null,
  "providerRef": null,
  "paymentMethodType": null,
  "attempts": [],
  "retryCount": 0,
  "lastError": null,
  "nextAction": null,
  "cancelRequested": false,
  "description": null,
  "metadata": {},
  "orderId": null,
  "oncePerOrder": false,
  "contendsWith": null,
  "statementDescriptorSuffix": null,
  "initiator": null,
  "savePaymentMethod": false,
  "disputes": [],
  "extraCharges": [],
  "payerPaid": null,
  "routing": null,
  "createdAt": null,
  "updatedAt": null
 },
 "emptyOperation": {
  "operationId": null,
  "transactionId": null,
  "kind": null,
  "origin": null,
  "status": null,
  "amount": 0,
  "currency": null,
  "provider": null,
  "providerRef": null,
  "attempts": [],
  "lastError": null,
  "createdAt": null,
  "updatedAt": null
 },
 "eventTypes": [
  "capture.failed",
  "capture.in_review",
  "capture.pending",
  "capture.succeeded",
  "merchant.restored",
  "payment.authorized",
  "payment.cancelled",
  "payment.charged_twice",
  "payment.dispute.closed",
  "payment.dispute.lost",
  "payment.dispute.opened",
  "payment.dispute.updated",
  "payment.dispute.won",
  "payment.failed",
  "payment.in_review",
  "payment.pending",
  "payment.requires_action",
  "payment.succeeded",
  "refund.failed",
  "refund.in_review",
  "refund.pending",
  "refund.succeeded",
  "void.failed",
  "void.in_review",
  "void.pending",
  "void.succeeded"
 ],
 "paymentStatuses": [
  "AUTHORIZED",
  "CANCELLED",
  "FAILED",
  "IN_REVIEW",
  "PENDING",
  "REQUIRES_ACTION",
  "SUCCESS"
 ],
 "scenarios": [
  {
   "name": "success",
   "token": "tok_success",
   "means": "The provider charges at once.",
   "steps": [
    {
     "atSeconds": 1,
     "status": "SUCCESS",
     "attempts": [
      [
       "alpha",
       "SUCCEEDED",
       null
      ]
     ]
    }
   ]
  },
  {
   "name": "late_success",
   "token": "tok_late_success",
   "means": "The provider's answer is lost: the payment stays PENDING until an inquiry finds the charge.",
   "steps": [
    {
     "atSeconds": 1,
     "attempts": [
      [
       "alpha",
       "UNKNOWN",
       "timeout"
      ]
     ],
     "lastError": "outcome_unknown"
    },
    {
     "atSeconds": 600,
     "status": "SUCCESS",
     "attempts": [
      [
       "alpha",
       "SUCCEEDED",
       null
      ]
     ]
    }
   ]
  },
  {
   "name": "lost_answer",
   "token": "tok_lost_answer",
   "means": "The payment is accepted, and the answer that says so is lost.",
   "losesAnswers": 1,
   "steps": [
    {
     "atSeconds": 1,
     "status": "SUCCESS",
     "attempts": [
      [
       "alpha",
       "SUCCEEDED",
       null
      ]
     ]
    }
   ]
  },
  {
   "name": "soft_decline",
   "token": "tok_soft_decline",
   "means": "The first provider declines, the second one charges.",
   "steps": [
    {
     "atSeconds": 1,
     "attempts": [
      [
       "alpha",
       "DECLINED",
       "do_not_honor"
      ]
     ],
     "lastError": "soft_decline"
    },
    {
     "atSeconds": 5,
     "status": "SUCCESS",
     "attempts": [
      [
       "alpha",
       "DECLINED",
       "do_not_honor"
      ],
      [
       "beta",
       "SUCCEEDED",
       null
      ]
     ]
    }
   ]
  },
  {
   "name": "hard_decline",
   "token": "tok_hard_decline",
   "means": "The issuer declines finally.",
   "steps": [
    {
     "atSeconds": 1,
     "status": "FAILED",
     "attempts": [
      [
       "alpha",
       "DECLINED",
       "stolen_card"
      ]
     ],
     "lastError": "hard_decline"
    }
   ]
  },
  {
   "name": "requires_action",
   "token": "tok_requires_action",
   "means": "The payer authenticates, and the payment succeeds.",
   "steps": [
    {
     "atSeconds": 1,
     "status": "REQUIRES_ACTION",
     "attempts": [
      [
       "beta",
       "REQUIRES_ACTION",
       null
      ]
     ],
     "isActionOpen": true
    },
    {
     "atSeconds": 90,
     "status": "SUCCESS",
     "attempts": [
      [
       "beta",
       "SUCCEEDED",
       null
      ]
     ]
    }
   ]
  },
  {
   "name": "in_review",
   "token": "tok_in_review",
   "means": "Nobody can say whether the provider has charged: manual review.",
   "steps": [
    {
     "atSeconds": 1,
     "attempts": [
      [
       "gamma",
       "UNKNOWN",
       "timeout"
      ]
     ],
     "lastError": "outcome_unknown"
    },
    {
     "atSeconds": 90000,
     "status": "IN_REVIEW",
     "attempts": [
      [
       "gamma",
       "UNKNOWN",
       "timeout"
      ]
     ],
     "lastError": "outcome_unknown"
    }
   ]
  },
  {
   "name": "reopened_decline",
   "token": "tok_reopened_decline",
   "means": "The provider declines, and reverses the decline later: FAILED becomes SUCCESS.",
   "steps": [
    {
     "atSeconds": 1,
     "status": "FAILED",
     "attempts": [
      [
       "delta",
       "DECLINED",
       "payment_failed"
      ]
     ],
     "lastError": "hard_decline"
    },
    {
     "atSeconds": 300,
     "status": "SUCCESS",
     "attempts": [
      [
       "delta",
       "SUCCEEDED",
       null
      ]
     ]
    }
   ]
  },
  {
   "name": "out_of_order_events",
   "token": "tok_out_of_order_events",
   "means": "The payer authenticates, and the events arrive in the wrong order.",
   "delivery": "reversed",
   "steps": [
    {
     "atSeconds": 1,
     "status": "REQUIRES_ACTION",
     "attempts": [
      [
       "beta",
       "REQUIRES_ACTION",
       null
      ]
     ],
     "isActionOpen": true
    },
    {
     "atSeconds": 90,
     "status": "SUCCESS",
     "attempts": [
      [
       "beta",
       "SUCCEEDED",
       null
      ]
     ]
    }
   ]
  }
 ],
 "checkouts": [
  {
   "name": "checkout_paid",
   "means": "The payer chooses how to pay after two seconds, and pays.",
   "steps": [
    {
     "atSeconds": 2,
     "attempts": [
      [
       "alpha",
       "REQUIRES_ACTION",
       null
      ]
     ],
     "isActionOpen": true
    },
    {
     "atSeconds": 8,
     "status": "SUCCESS",
     "attempts": [
      [
       "alpha",
       "SUCCEEDED",
       null
      ]
     ]
    }
   ]
  },
  {
   "name": "checkout_expired",
   "means": "Nobody comes to the page, and the checkout expires.",
   "steps": []
  },
  {
   "name": "checkout_left",
   "means": "The payer chooses, leaves the provider's page without paying, and the checkout expires.",
   "steps": [
    {
     "atSeconds": 2,
     "attempts": [
      [
       "alpha",
       "REQUIRES_ACTION",
       null
      ]
     ],
     "isActionOpen": true
    }
   ]
  }
 ],
 "checkout": {
  "page": "https://pay.example.com/checkout/",
  "methods": [
   "card",
   "upi",
   "netbanking",
   "wallet"
  ],
  "presentations": [
   "page",
   "direct"
  ],
  "minSeconds": 900,
  "maxSeconds": 2592000,
  "defaultSeconds": 86400
 },
 "messages": {
  "checkout_expired": "The payer did not pay in time.",
  "soft_decline": "The provider declined; the payment may succeed at another provider or later.",
  "hard_decline": "The issuer declined finally; do not retry this payment method.",
  "outcome_unknown": "No answer of the provider was received; the outcome is being resolved."
 },
 "retryAfterSeconds": {
  "unavailable": 2,
  "outcome_unknown": 30,
  "rate_limited": 1
 },
 "withdrawnCurrencies": [
  "ANG",
  "BGN",
  "UYI"
 ],
 "parameters": {
  "/payments": [
   "limit",
   "cursor",
   "status",
   "from",
   "to",
   "orderId",
   "providerRef",
   "provider"
  ],
  "/payments/{}/events": [
   "limit",
   "cursor"
  ],
  "/payments/{}/operations": [
   "limit",
   "cursor"
  ],
  "/events": [
   "limit",
   "cursor",
   "from",
   "to"
  ]
 },
 "refusals": {
  "unauthenticated": [
   401,
   "unauthenticated",
   "The API key is missing or not valid",
   "Send a valid API key."
  ],
  "no_address": [
   404,
   "not_found",
   "Not found",
   "There is nothing at this address with this method. See /openapi.json."
  ],
  "no_payment": [
   404,
   "not_found",
   "Not found",
   "There is no payment with this id."
  ],
  "no_operation": [
   404,
   "not_found",
   "Not found",
   "There is no operation with this id."
  ],
  "no_endpoint": [
   404,
   "not_found",
   "Not found",
   "There is no webhook endpoint with this id."
  ],
  "no_event": [
   404,
   "not_found",
   "Not found",
   "There is no event with this id."
  ],
  "limit": [
   400,
   "parameter_invalid",
   "A parameter is not valid",
   "limit must be a whole number from 1 to 100.",
   "limit"
  ],
  "time": [
   400,
   "parameter_invalid",
   "A parameter is not valid",
   "The time must be one of RFC 3339.",
   "from"
  ],
  "status": [
   400,
   "parameter_invalid",
   "A parameter is not valid",
   "status must be one of the statuses of a payment.",
   "status"
  ],
  "cursor": [
   400,
   "cursor_invalid",
   "The cursor is not valid",
   "The cursor is not one that this list returned. Use nextCursor unchanged, with the same filters.",
   "cursor"
  ],
  "no_query": [
   400,
   "parameter_invalid",
   "A parameter is not valid",
   "This address takes no query parameters. What a request says stands in its body."
  ],
  "provider": [
   400,
   "parameter_invalid",
   "A parameter is not valid",
   "provider belongs to providerRef.",
   "provider"
  ],
  "unknown_parameter": [
   400,
   "parameter_invalid",
   "A parameter is not valid",
   "A query parameter is not known. See /openapi.json."
  ],
  "parameter_twice": [
   400,
   "parameter_invalid",
   "A parameter is not valid",
   "Give each query parameter once.",
   "{field}"
  ],
  "null": [
   422,
   "field_invalid",
   "A field is not valid",
   "{field} must not be null. Leave it out instead.",
   "{field}"
  ],
  "malformed_json": [
   400,
   "malformed_json",
   "The body is not acceptable JSON",
   "The body is not acceptable JSON."
  ],
  "key_required": [
   400,
   "idempotency_key_required",
   "An idempotency key is required",
   "Send an Idempotency-Key header, or idempotencyKey in the body: a value of your own, new for each request."
  ],
  "key_invalid": [
   400,
   "idempotency_key_invalid",
   "The idempotency key is not valid",
   "An idempotency key has 1 to 255 printable ASCII characters and no space."
  ],
  "key_conflict": [
   400,
   "idempotency_key_conflict",
   "Two different idempotency keys",
   "Send one idempotency key, in the header or in the body."
  ],
  "key_reused": [
   422,
   "idempotency_key_reused",
   "The idempotency key belongs to another request",
   "This idempotency key was used for another request. Use a new key, or repeat the first request unchanged."
  ],
  "unknown_field": [
   422,
   "unknown_field",
   "A field is not known",
   "The field {field} is not known. Remove it, or see /openapi.json."
  ],
  "field_missing": [
   422,
   "field_missing",
   "A required field is missing",
   "The field {field} is required.",
   "{field}"
  ],
  "capture": [
   422,
   "field_invalid",
   "A field is not valid",
   "capture must be automatic or manual.",
   "capture"
  ],
  "event_types": [
   422,
   "field_invalid",
   "A field is not valid",
   "eventTypes must be distinct values of the types of events.",
   "eventTypes"
  ],
  "amount": [
   422,
   "amount_invalid",
   "The amount is not valid",
   "amount must be a JSON integer from 1 to 999999999999, in the currency's minor unit; no text, no fraction.",
   "amount"
  ],
  "currency": [
   422,
   "currency_invalid",
   "The currency is not valid",
   "currency must be an ISO 4217 code in capitals, such as INR or USD.",
   "currency"
  ],
  "payment_method": [
   422,
   "payment_method_invalid",
   "The payment method is not valid",
   "Send either token or tokens, not both.",
   "paymentMethod"
  ],
  "checkout_token": [
   422,
   "payment_method_invalid",
   "The payment method is not valid",
   "A checkout takes no token: its payer chooses. Leave token and tokens out.",
   "paymentMethod"
  ],
  "checkout_methods": [
   422,
   "payment_method_invalid",
   "The payment method is not valid",
   "paymentMethod.methods must be a list of card, upi, netbanking and wallet, each at most once, for a checkout.",
   "paymentMethod.methods"
  ],
  "checkout_presentation": [
   422,
   "payment_method_invalid",
   "The payment method is not valid",
   "paymentMethod.presentation must be page or direct, for a checkout.",
   "paymentMethod.presentation"
  ],
  "checkout_initiator": [
   422,
   "field_invalid",
   "A field is not valid",
   "The payer of a checkout is present: leave initiator out, or send customer.",
   "initiator"
  ],
  "checkout_saves": [
   422,
   "field_invalid",
   "A field is not valid",
   "A checkout saves no payment method. Leave this out.",
   "savePaymentMethod"
  ],
  "checkout_expiry": [
   422,
   "field_invalid",
   "A field is not valid",
   "expiresInSeconds must be an integer from 900 to 2592000, for a checkout.",
   "expiresInSeconds"
  ],
  "only_checkout_method": [
   422,
   "payment_method_invalid",
   "The payment method is not valid",
   "{field} is for a checkout: send paymentMethod.type checkout without a token, or leave it out.",
   "{field}"
  ],
  "only_checkout_expiry": [
   422,
   "field_invalid",
   "A field is not valid",
   "expiresInSeconds is for a checkout: send paymentMethod.type checkout without a token, or leave it out.",
   "expiresInSeconds"
  ],
  "return_url": [
   422,
   "url_not_allowed",
   "The URL is not allowed",
   "The return URL is not allowed: it does not begin with https://.",
   "returnUrl"
  ],
  "amount_exceeded": [
   422,
   "amount_exceeded",
   "The amount is more than is left",
   "At most {left} can be moved now. Amounts reserved by open operations are not available.",
   "amount"
  ],
  "outcome_unknown": [
   409,
   "outcome_unknown",
   "The outcome is not known yet",
   "The payment's outcome is being resolved. Read the payment again later, then repeat the request."
  ],
  "not_captured": [
   409,
   "invalid_state",
   "Not possible in this state",
   "Only a captured payment can be refunded; this one is {status}."
  ],
  "not_authorized": [
   409,
   "invalid_state",
   "Not possible in this state",
   "Only an AUTHORIZED payment can be captured; this one is {status}."
  ],
  "operation_open": [
   409,
   "invalid_state",
   "Not possible in this state",
   "Another capture or void is open."
  ],
  "not_open": [
   409,
   "invalid_state",
   "Not possible in this state",
   "Only an open payment can be cancelled."
  ],
  "order_not_free": [
   409,
   "order_not_free",
   "Another payment holds the order",
   "Another payment holds this order. To pay the order in several payments, send oncePerOrder false.",
   "orderId"
  ],
  "endpoint_exists": [
   409,
   "endpoint_exists",
   "The URL is registered already",
   "This URL is registered already. Rotate its secret, or delete it first to change its event types.",
   "url"
  ],
  "endpoint_limit": [
   409,
   "endpoint_limit",
   "The limit of webhook endpoints is reached",
   "A merchant has at most five webhook endpoints."
  ],
  "url": [
   422,
   "url_not_allowed",
   "The URL is not allowed",
   "The URL is not allowed: it does not begin with https://.",
   "url"
  ],
  "webhook": [
   401,
   "webhook_refused",
   "The webhook is not authentic",
   "The signature is not valid."
  ],
  "rate_limited": [
   429,
   "rate_limited",
   "Too many requests",
   "Send the request again later."
  ],
  "unavailable": [
   503,
   "unavailable",
   "Temporarily unavailable",
   "Repeat the request unchanged, with the same key."
  ]
 }
};
