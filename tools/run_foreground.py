#!/usr/bin/env python3
"""run_foreground.py PROGRAM ARGUMENT...: becomes PROGRAM, alone in the terminal's foreground.

Ctrl-C goes to every process of the terminal's foreground group. Under `make` that would be make as
well, and make answers it by failing, even when the program drains and exits 0. In a group of its
own, only the program hears it, and make sees how the program ended. Without a terminal nothing
changes: signals reach whom they are sent to.
"""
import os
import signal
import sys


def main():
    try:
        terminal = os.open("/dev/tty", os.O_RDWR | os.O_CLOEXEC)
        if os.tcgetpgrp(terminal) == os.getpgrp():
            os.setpgid(0, 0)
            # taking the foreground from a background group would stop us, unless this is ignored
            before = signal.signal(signal.SIGTTOU, signal.SIG_IGN)
            os.tcsetpgrp(terminal, os.getpgrp())
            signal.signal(signal.SIGTTOU, before)
    except OSError:
        pass  # no terminal
    os.execvp(sys.argv[1], sys.argv[1:])


if __name__ == "__main__":
    main()
