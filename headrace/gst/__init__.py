"""Package gst."""
