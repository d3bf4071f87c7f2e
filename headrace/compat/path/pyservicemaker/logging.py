"""``pyservicemaker.logging``: loggers that write to the console without further setting up."""

import logging
import sys


def get_logger(name: str) -> logging.Logger:
    """The logger of this name; it writes to stderr, from INFO on unless its level was set.

    Example:
        >>> get_logger("example").name
        'example'
    """
    logger = logging.getLogger(name)
    if not logger.handlers:
        handler = logging.StreamHandler(sys.stderr)
        handler.setFormatter(logging.Formatter("%(asctime)s %(name)s %(levelname)s %(message)s"))
        logger.addHandler(handler)
        logger.propagate = False  # a program that sets up the root logger too would see lines twice
    if logger.level == logging.NOTSET:
        logger.setLevel(logging.INFO)
    return logger


__all__ = ["get_logger"]
