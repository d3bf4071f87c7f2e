"""Package brokers."""
