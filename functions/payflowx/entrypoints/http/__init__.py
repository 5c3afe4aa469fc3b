"""The API's wire: strict requests in, typed answers and problem details out."""
