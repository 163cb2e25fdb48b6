"""Loading python-escpos: only when there is something to print, since it takes half a second and 17 MB."""

from __future__ import annotations

import logging
import os
import shutil
from functools import cache


@cache
def load_escpos() -> None:
    """Import python-escpos and take back what that does to a process.

    On import it makes a folder for a pickle of its printer list, reads a pickle from a folder named in the
    environment, and gives the root logger a handler. Nothing is to be left outside of the data directory, and nothing
    is ever unpickled.
    """
    os.environ.pop("ESCPOS_CAPABILITIES_PICKLE_DIR", None)
    handlers = logging.root.handlers[:]
    import escpos.capabilities

    logging.root.handlers[:] = handlers
    shutil.rmtree(escpos.capabilities.pickle_dir, ignore_errors=True)
