"""What user code attaches to elements: operators, receivers, feeders, signals, and how they are attached."""
