"""Unit tests: python -m unittest"""

import faulthandler

faulthandler.dump_traceback_later(120, exit=True)  # what waits for ever fails
