#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""on_terminal.py KEYS COMMAND...: runs a command on a terminal of 24 lines and 80 columns, types
KEYS one after the other ("!" is SIGTERM instead), each when the screen was drawn anew, and prints
what the terminal was told. Fails if the command goes on after the last key, or leaves the terminal
in another state than it was."""

import fcntl
import os
import pty
import select
import signal
import struct
import sys
import termios
import time

PATIENCE = 30  # s: far more than a drawing takes on a busy machine


def main():
    keys, command = sys.argv[1], sys.argv[2:]
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    before = termios.tcgetattr(theirs)
    pid = os.fork()
    if not pid:
        os.close(ours)
        os.setsid()
        fcntl.ioctl(theirs, termios.TIOCSCTTY, 0)
        for fd in range(3):
            os.dup2(theirs, fd)
        os.execvp(command[0], command)
    told = b""
    for key in keys:
        drawn = told.count(b"\033[2J")
        end = time.monotonic() + PATIENCE
        while told.count(b"\033[2J") == drawn and time.monotonic() < end:
            if select.select([ours], [], [], 0.1)[0]:
                told += os.read(ours, 65536)
        if key == "!":
            os.kill(pid, signal.SIGTERM)
        else:
            os.write(ours, key.encode())
    end = time.monotonic() + PATIENCE
    status = None
    while status is None and time.monotonic() < end:
        if select.select([ours], [], [], 0.1)[0]:
            told += os.read(ours, 65536)
        done, raw = os.waitpid(pid, os.WNOHANG)
        status = raw if done else None
    if status is None:
        os.kill(pid, signal.SIGKILL)
        sys.exit(f"{command[0]} goes on after {keys!r}")
    while select.select([ours], [], [], 0)[0]:
        told += os.read(ours, 65536)
    sys.stdout.write(told.decode(errors="replace"))
    if termios.tcgetattr(theirs) != before:
        sys.exit("the terminal is not as it was")
    sys.exit(os.waitstatus_to_exitcode(status) % 256)


main()
