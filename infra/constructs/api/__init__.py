"""The REST API and its web ACL."""
