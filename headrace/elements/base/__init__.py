"""What elements are built on: filters of batches, bins, caps and their negotiation."""
