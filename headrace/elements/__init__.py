"""Package elements."""
