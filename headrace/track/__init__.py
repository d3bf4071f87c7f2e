"""Package track."""
