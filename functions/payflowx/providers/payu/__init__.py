"""PayU India: debits of registered mandates by signed form posts; nearly every answer is HTTP 200."""
