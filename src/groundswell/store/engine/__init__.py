"""The event store's engine: embedded or a server, one interface."""
