"""Package analytics."""
