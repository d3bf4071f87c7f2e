"""``_pydeepstream``: every class of ``pyservicemaker`` under the native module's own name."""

from pyservicemaker._pydeepstream import *  # noqa: F403 - all of them, by definition
from pyservicemaker._pydeepstream import __all__ as __all__
