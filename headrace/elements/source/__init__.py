"""What stands behind the elements that bring frames in."""
