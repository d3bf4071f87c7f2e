"""What stands behind the muxer."""
