"""A tree of stand-ins for what DeepStream installs: models, labels, configurations, clips."""
