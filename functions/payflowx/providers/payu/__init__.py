"""PayU India: debits of standing mandates over form posts whose hash names the merchant; every answer is HTTP 200."""
