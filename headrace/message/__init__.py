"""Package message."""
