"""Lambda handlers, a file each: decode, call a use case, encode."""
