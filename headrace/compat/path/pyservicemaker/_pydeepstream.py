"""``pyservicemaker._pydeepstream``: every class under the name of the native module."""

from . import *  # noqa: F403 - all of them, by definition
from . import __all__ as __all__
