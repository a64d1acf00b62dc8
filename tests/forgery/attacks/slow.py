"""Takes its time in every stage, so that something else may give up first."""

import time
time.sleep(1.5)
