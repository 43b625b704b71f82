# SPDX-License-Identifier: GPL-2.0-or-later
"""TAP and network namespaces for test programs in Python."""
import contextlib
import ctypes
import os
import sys
import time

count = failed = 0
prefix = ""


def ok(passed, name, detail=""):
    """One test; `detail` says why it failed."""
    global count, failed
    count += 1
    print("%sok %d - %s" % ("" if passed else "not ", count, prefix + name))
    if not passed:
        failed += 1
        for line in str(detail).splitlines():
            print("# " + line)
    sys.stdout.flush()
    return passed


def equal(got, wanted, name):
    return ok(got == wanted, name, "got %r, wanted %r" % (got, wanted))


def finish():
    print("1..%d" % count)
    sys.exit(failed != 0)


def wait_for(seconds, condition):
    """Poll until condition() holds; False at the deadline, three times as late as said:
    `seconds` is what a machine may take that has nothing else to do."""
    deadline = time.monotonic() + 3 * seconds * int(os.environ.get("VM_PATIENCE", 1))
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


@contextlib.contextmanager
def netns(name):
    """This thread in a network namespace made by ip-netns: sockets opened
    inside stay there."""
    setns = ctypes.CDLL(None, use_errno=True).setns
    home = os.open("/proc/self/ns/net", os.O_RDONLY)
    there = os.open("/run/netns/" + name, os.O_RDONLY)
    try:
        if setns(there, 0x40000000):
            raise OSError(ctypes.get_errno(), "setns")
        yield
    finally:
        setns(home, 0x40000000)
        os.close(home)
        os.close(there)
