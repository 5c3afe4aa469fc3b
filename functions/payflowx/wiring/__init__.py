"""The only place that connects adapters to use cases: a file a room, over one `Platform`."""
