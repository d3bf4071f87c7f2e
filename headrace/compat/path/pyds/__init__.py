"""The module ``pyds`` on Headrace, for programs that import it by this name; a real one goes first."""

import sys
from importlib.util import module_from_spec

from headrace.compat import elsewhere

_real = elsewhere("pyds")
if _real is not None and _real.loader is not None:
    _module = sys.modules[__name__] = module_from_spec(_real)
    _real.loader.exec_module(_module)
else:
    from headrace.compat import redirect
    from headrace.compat.pyds import *  # noqa: F403
    from headrace.compat.pyds import __all__ as __all__
    from headrace.compat.pyds import __version__ as __version__

    # Here rather than at the program's start only, so that child processes have it too.
    redirect.install()
