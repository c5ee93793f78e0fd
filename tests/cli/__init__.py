"""The `antiphon` command, as a user types it."""
