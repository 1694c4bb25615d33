"""Sections and facts become a snapshot folder that answers searches (:mod:`index.snapshot`)."""

import os

# The matrices here are small: a second thread of OpenBLAS costs more than it saves (measured: twice the CPU time for a
# question). Read by numpy when it is first imported; who sets the variable knows better.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
