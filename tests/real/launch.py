"""A server's first process: it asks to end when the test run does, then becomes the server.

Started as ``python launch.py <pid of the test run> <program> <arguments>``. Asking here, and not between fork and exec
in the test run, keeps that run's threads out of it. Only Linux can be asked (``PR_SET_PDEATHSIG``); elsewhere a killed
run leaves its servers to the next reboot, and an orderly one stops them itself.
"""

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1


def main() -> None:
    """Tie this process to its parent's life, then replace it by the program named in the arguments."""
    parent, argv = int(sys.argv[1]), sys.argv[2:]
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != parent:
        sys.exit("the test run ended before its server started")
    os.execvp(argv[0], argv)


if __name__ == "__main__":
    main()
