"""What the methods of `Flow` build, a function each."""
