"""What stands behind the elements that run models."""
