"""``_pydeepstream``: every class of ``pyservicemaker`` under the native module's own name."""

from pyservicemaker import *  # noqa: F403 - all of them, by definition
from pyservicemaker import __all__ as __all__
