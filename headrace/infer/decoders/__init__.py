"""Package decoders."""
