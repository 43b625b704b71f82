# SPDX-License-Identifier: GPL-2.0-or-later
"""Many IKE peers in network namespaces: what tests/sock/bench and tests/sock/scale have in common."""

import json
import os
import select
import shutil
import signal
import socket
import subprocess
import sys
import time

PSK = "5dtRc2sPqYb8Wm1xVn7uKz4L"
IKE = "aes256gcm16-prfsha256-x25519"
PSK_PROOFS = ("", "PSK = " + PSK)
RESPONDER, INITIATOR = "192.0.2.1", "192.0.2.2"
FIRST, SOURCES = "10.64.0.0", "10.64.0.0/10"  # of the initiators
INNER = "10.192.0.0/10"  # where each has one inside
UNTOUCHED = "Liveness = 0\nRekey = off, off"  # what is measured comes at no other time
OURS = """[Tunnel]
LocalID = %s
Local = %s
%s
[Peer]
RemoteID = %s
%s
Crypto = %s
%s
%s
"""


def fail(text):
    sys.exit(f"{os.path.basename(sys.argv[0])}: {text}")


def run(*command):
    subprocess.run(command, check=True)


def enter_namespaces():
    """Once more, in namespaces of its own: nothing is left when it ends, however it ends."""
    if "MANY_PEERS_INSIDE" in os.environ:
        return
    if os.geteuid():
        fail("run it as root")
    os.environ["MANY_PEERS_INSIDE"] = "1"
    os.execvp("unshare", ["unshare", "--mount", "--pid", "--net", "--fork", "--kill-child",
                          "--mount-proc", "--propagation", "private", *sys.argv])


def namespaces():
    run("mount", "-t", "tmpfs", "tmpfs", "/run")
    for ns, addr in ("r", RESPONDER), ("i", INITIATOR):
        run("ip", "netns", "add", ns)
        run("ip", "-n", ns, "link", "set", "lo", "up")
    run("ip", "link", "add", "v0", "netns", "r", "type", "veth", "peer", "name", "v0", "netns", "i")
    for ns, addr in ("r", RESPONDER), ("i", INITIATOR):
        run("ip", "-n", ns, "addr", "add", addr + "/24", "dev", "v0")
        run("ip", "-n", ns, "link", "set", "v0", "up")
    run("ip", "-n", "i", "route", "add", "local", SOURCES, "dev", "lo")
    run("ip", "-n", "r", "route", "add", SOURCES, "via", INITIATOR)


def write_conf(path, local_id, local, remote_id, proofs, more, upkeep=UNTOUCHED):
    """@proofs: ours, what the peer's is checked with."""
    with open(path, "w", opener=lambda p, flags: os.open(p, flags, 0o600)) as f:
        f.write(OURS % (local_id, local, proofs[0], remote_id, proofs[1], IKE, upkeep, more))


class Program:
    """One that runs in a namespace, and what it costs."""

    def __init__(self, ns, *command, **env):
        self.process = subprocess.Popen(
            ["ip", "netns", "exec", ns, *command], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL if env else None, text=True, env={**os.environ, **env})
        self.pid = self.process.pid

    def cpu(self):
        """Microseconds of all threads so far."""
        total = 0
        for task in os.listdir(f"/proc/{self.pid}/task"):
            with open(f"/proc/{self.pid}/task/{task}/schedstat") as f:
                total += int(f.read().split()[0])
        return total / 1000

    def memory(self):
        with open(f"/proc/{self.pid}/status") as f:
            return 1024 * next(int(line.split()[1]) for line in f if line.startswith("VmRSS:"))

    def end(self, number=signal.SIGKILL):
        self.process.send_signal(number)
        self.process.wait()
        self.process.stdin.close()
        self.process.stdout.close()


class Load(Program):
    def __init__(self, directory, tunnels, authority=None, upkeep=UNTOUCHED):
        path, more = "/run/t.conf", "Endpoint = %s\nStart = traffic" % RESPONDER
        if authority:
            path = "/run/initiators"
            shutil.rmtree(path, ignore_errors=True)
            os.makedirs(path)
            for n in range(tunnels):
                authority.write_initiator(path, n, more)
        else:
            write_conf(path, "i.example", FIRST, "r.example", PSK_PROOFS, more, upkeep)
        super().__init__("i", os.path.join(directory, "ikeload"), path, str(tunnels))

    def tell(self, *words):
        self.process.stdin.write(" ".join(map(str, words)) + "\n")
        self.process.stdin.flush()

    def hear(self, seconds=300):
        if not select.select([self.process.stdout], [], [], seconds)[0]:
            fail("ikeload does not answer")
        return json.loads(self.process.stdout.readline() or fail("ikeload ended"))

    def up(self, count, rate, window):
        self.tell("up", count, rate, window)
        said = self.hear()
        if said["failed"]:
            fail(f"{said['failed']} of {count} tunnels did not come up")
        return said


class Agent(Program):
    """esptund, with a folder of configurations; @program: with or without kernel module."""

    def __init__(self, program, confs, *options):
        self.folder, self.socket = "/run/agent", "/run/agent.sock"
        shutil.rmtree(self.folder, ignore_errors=True)
        os.makedirs(self.folder)
        for name, values in confs.items():
            write_conf(f"{self.folder}/{name}.conf", *values)
        super().__init__("r", program, "--config", self.folder, "--socket", self.socket, "--foreground",
                         "--no-seccomp", *options, LC_ALL="C")
        for _ in range(600):
            time.sleep(0.1)
            if not socket.socket(socket.AF_UNIX).connect_ex(self.socket):
                self.ask("?")
                return
        fail("esptund does not start")

    def ask(self, name=None, sock=None):
        """The status of one tunnel, or of all, and the seconds it took."""
        s = sock or socket.socket(socket.AF_UNIX)
        if not sock:
            s.connect(self.socket)
        began = time.monotonic()
        what = {"cmd": "status", **({"tunnel": name} if name else {})}
        s.sendall(json.dumps(what).encode() + b"\n")
        said = b""
        while not said.endswith(b"\n"):
            part = s.recv(1 << 20)
            if not part:
                fail("esptund hangs up")
            said += part
        return said, time.monotonic() - began

    def silence(self, work):
        """What @work gives, and the longest time for which esptund answered nobody else."""
        get, put = os.pipe()
        stop, stopped = os.pipe()
        child = os.fork()
        if not child:
            s = socket.socket(socket.AF_UNIX)
            s.connect(self.socket)
            self.ask("?", s)
            os.write(put, b".")
            longest = 0
            while not select.select([stop], [], [], 0)[0]:
                longest = max(longest, self.ask("?", s)[1])
            os.write(put, b"%f" % longest)
            os._exit(0)
        os.read(get, 1)
        said = work()
        os.write(stopped, b".")
        longest = float(os.read(get, 100))
        os.waitpid(child, 0)
        for fd in get, put, stop, stopped:
            os.close(fd)
        return said, longest
