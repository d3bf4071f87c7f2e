"""A pipeline at work: its thread, its messages, seeking, recording, its end."""
