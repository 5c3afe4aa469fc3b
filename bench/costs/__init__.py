"""The bill: quantities from the templates and from `make bench`, times a price list. `make costs` writes the page."""
