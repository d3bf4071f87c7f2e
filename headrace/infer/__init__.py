"""Package infer."""
