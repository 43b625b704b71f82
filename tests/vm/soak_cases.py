#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""soak_cases.py SECONDS: iperf3 and hashed streams both ways between the ends of
two_hosts, with new keys every second and now and then what networks do to a tunnel.
See t_soak.sh."""
import os
import socket
import statistics
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import genl  # noqa: E402
import taplib  # noqa: E402
from espwire import key  # noqa: E402
from load import Stream, Until  # noqa: E402
from taplib import ok  # noqa: E402

HOME = {"west": ("10.9.0.1", "fd00:9::1"), "east": ("10.9.0.2", "fd00:9::2")}
OTHER = {"west": "east", "east": "west"}
ALGORITHMS = ("aes-gcm-256", "chacha20-poly1305", "aes-gcm-128")
# Packets of each kind that strangers send at a time.
STRANGERS = 20
# A run of so many turns tells whether memory grows.
LONG_RUN = 1200
MEMORY_MAY_GROW = 4 << 20
seconds = int(sys.argv[1])
families = {}
for ns in HOME:
    with taplib.netns(ns):
        families[ns] = genl.Family(), genl.ifindex("vpn0")
generation = 0


def call(ns, op, **values):
    family, link = families[ns]
    return family.call(op, dict(values, ifindex=link))


def sa(ns, direction, number):
    receiver = ns if direction == "in" else OTHER[ns]
    return {"spi": {"west": 0x20000000, "east": 0x30000000}[receiver] + number,
            "dir": direction, "peer": 1}


def rekey():
    """The old outbound goes once the new one is there, the old inbound 10 turns
    later; by then all that was on its way has come."""
    global generation
    generation += 1
    alg = ALGORITHMS[generation % len(ALGORITHMS)]
    for direction in ("in", "out"):
        for ns in HOME:
            receiver = ns if direction == "in" else OTHER[ns]
            call(ns, "sa-new", sa=dict(
                sa(ns, direction, generation), encr=28 if "chacha" in alg else 20,
                esn=generation & 1,
                **{"encr-key": key(alg, (generation + (receiver == "west") * 128) & 255)}))
    for ns in HOME:
        if generation > 1:
            call(ns, "sa-del", sa=sa(ns, "out", generation - 1))
        if generation > 10:
            named = sa(ns, "in", generation - 10)
            del named["peer"]
            call(ns, "sa-del", sa=named)
        # What watches the state is part of the load.
        if generation % 5 == 0:
            families[ns][0].call("sa-get", dump=True)
            families[ns][0].call("stats-get", dump=True)


def at(ns, words):
    subprocess.run(["ip", "netns", "exec", ns, *words.split()], check=True)


def move():
    """The western host gets another address. The eastern one learns it from the next
    authentic packet."""
    old = subprocess.run(["ip", "-n", "west", "-4", "-br", "addr", "show", "w0"], check=True,
                         capture_output=True, text=True).stdout.split()[2]
    new = {"192.0.2.1/24": "192.0.2.11/24", "192.0.2.11/24": "192.0.2.1/24"}[old]
    at("west", f"ip addr add {new} dev w0")
    at("west", f"ip addr del {old} dev w0")
    explain("moves", None)


def lose():
    at("west", "tc qdisc add dev w0 root netem loss 2%")


def lose_no_more():
    at("west", "tc qdisc del dev w0 root")
    explain("losses", None)


def unplug():
    """Routes go with it: the western host cannot send until they are back."""
    at("west", "ip link set w0 down")


def plug_in():
    at("west", "ip link set w0 up")
    explain("times without a cable", "west tx-no-route")


def send_as_stranger():
    """To the eastern host, without its keys: an SPI that it does not have, one that it
    has, and one that it has in what is too short for ESP."""
    known = (0x30000000 + generation).to_bytes(4, "big")
    with taplib.netns("west"):
        stranger = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    with stranger:
        for data, counter in ((b"\x7f" * 4 + bytes(80), "rx-no-sa"),
                              (known + b"\x7f" * 4 + os.urandom(80), "rx-auth"),
                              (known + b"\x7f" * 8, "rx-truncated")):
            for _ in range(STRANGERS):
                stranger.sendto(data, ("192.0.2.2", 4500))
            explain("packets of strangers", "east " + counter, STRANGERS)


# Turn of every thirty, what happens then.
DISTURBANCES = {3: lose, 8: lose_no_more, 12: unplug, 14: plug_in, 18: move, 24: send_as_stranger}
happened, explained = {}, {}


def explain(what, counter, most=None):
    """`what` happened, for which `counter` may say at most `most` more; None: any number."""
    happened[what] = happened.get(what, 0) + (most or 1)
    if counter:
        explained[counter] = explained.get(counter, 0) + (most or 1 << 60)


def measure_memory():
    """What the kernel holds and cannot give back, in octets."""
    with open("/proc/meminfo") as f:
        lines = dict(line.split(":") for line in f)
    return sum(int(lines[name].split()[0]) << 10 for name in ("SUnreclaim", "Percpu"))


def counters():
    return {f"{ns} {name}": value for ns, (family, _) in families.items()
            for name, value in genl.counters(family).items()}


def received(ns):
    return sum(reply["peer"]["rx-bytes"] for reply in families[ns][0].call("peer-get", dump=True))


def iperf(client, server, address, port, *options):
    listener = subprocess.Popen(["ip", "netns", "exec", server, "iperf3", "-s", "-1", "-p",
                                 str(port)], stdout=subprocess.DEVNULL)
    taplib.wait_for(20, lambda: str(port) in subprocess.run(
        ["ip", "netns", "exec", server, "ss", "-Hltn"], capture_output=True, text=True).stdout)
    return [listener, subprocess.Popen(
        ["ip", "netns", "exec", client, "iperf3", "-c", address, "-p", str(port), "-t",
         str(seconds + 600), *options], stdout=subprocess.DEVNULL)]


rekey()
before = counters()
pieces = Until()
streams = [Stream("west", "east", HOME["east"][1], pieces, timeout=300),
           Stream("east", "west", HOME["west"][0], pieces, timeout=300)]
children = iperf("west", "east", HOME["east"][0], 5201, "--bidir", "-P", "2") + \
    iperf("east", "west", HOME["west"][1], 5202, "-u", "-b", "4M", "-l", "1100")
# New keys are due each second, however busy the machine is; not in real time, which
# would keep a CPU from doing what others left to it.
os.sched_setscheduler(0, os.SCHED_OTHER | os.SCHED_RESET_ON_FORK, os.sched_param(0))
os.setpriority(os.PRIO_PROCESS, 0, -10)
due = time.monotonic()
end = due + seconds
was, moved_at, longest = {ns: 0 for ns in HOME}, dict.fromkeys(HOME, time.monotonic()), 0
memory = []
while time.monotonic() < end:
    # Late ones are made up for, but what is on its way has its time.
    due = max(due + 1, time.monotonic() + 0.5)
    time.sleep(due - time.monotonic())
    rekey()
    DISTURBANCES.get(generation % 30, int)()
    memory.append(measure_memory())
    for ns in HOME:
        now = received(ns)
        if now > was[ns] + 20000:
            moved_at[ns] = time.monotonic()
        was[ns] = now
        longest = max(longest, time.monotonic() - moved_at[ns])
ok(longest < 20, "traffic never stood still (longest pause %.1f s, %d rekeys)" % (
    longest, generation))
ok(generation > 0.7 * seconds, "there were new keys each second",
   "%d times in %d s" % (generation, seconds))
alive = [child.poll() is None for child in children]
ok(all(alive), "iperf3 went on to the end", alive)
pieces.finish()
ok(all([s.ok() for s in streams]), "streams arrive, every octet")
for child in children:
    child.kill()
    child.wait()
now = counters()
got = {k: now[k] - before.get(k, 0) for k in now if now[k] != before.get(k, 0)}
print("# %s octets received; %s; counted: %s" % (was, happened, got))
ok(len(happened) == 4, "peers moved, packets were lost, a cable was pulled, strangers sent", happened)
strange = {k: v for k, v in explained.items() if v < 1 << 60}
ok(all(0 < got.get(k, 0) for k in strange), "what strangers sent is counted", (got, strange))
unexplained = {k: v for k, v in got.items() if v > explained.get(k, 0)}
ok(not unexplained, "no other drop is counted", (unexplained, explained))
share = len(memory) // 8
early, late = (statistics.median(memory[i:i + share]) for i in (share, 7 * share))
print("# kernel memory that cannot be reclaimed: %d KiB, later %d KiB" % (early / 1024, late / 1024))
ok(len(memory) < LONG_RUN or late < early + MEMORY_MAY_GROW, "kernel memory does not grow", memory[::60])
taplib.finish()
