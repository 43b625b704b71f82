#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# vm-tier: full
# vm-timeout: 240
#
# Two CPUs send by one SA. What waits is bounded, no CPU is kept with packets of
# others, and the order holds below the tunnel too: in the queues of the device
# and in its qdisc. A sender is charged until its packet has left.
#
#   s0 10.1.0.2 --- 10.1.0.1 \                                        / 10.2.0.1
#                             west 192.0.2.1 ===== 192.0.2.2 east ---
#   s1 10.1.1.2 --- 10.1.1.1 /

# shellcheck source=tests/vm/lib.sh
. "$VM_TOP/tests/vm/lib.sh"

# flood NS CPU ADDRESS SECONDS PACKETS-PER-SECOND
flood() {
	start "$1" "/run/flood-$1" taskset -c "$2" "$PYTHON" -c 'import socket, sys, time
to, seconds, rate = (sys.argv[1], 9), float(sys.argv[2]), float(sys.argv[3])
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.connect(to)
begin, n = time.monotonic(), 0
while time.monotonic() - begin < seconds:
    for _ in range(16):
        try:
            s.send(bytes(64))
        except OSError:
            pass
    n += 16
    time.sleep(max(0, n / rate - (time.monotonic() - begin)))
print(n)' "$3" "$4" "$5"
}

# both SECONDS RATE: two senders, each on its own CPU, by the same SA.
both() {
	local one
	flood s0 0 10.2.0.1 "$1" "$2"
	one=$started
	flood s1 1 10.2.0.1 "$1" "$2"
	wait "$one" "$started"
}

add_ns s0 s1 west east
must ip link add w0 netns west numtxqueues 2 numrxqueues 2 type veth \
	peer name e0 netns east numtxqueues 2 numrxqueues 2
must ip -n west addr add 192.0.2.1/24 dev w0
must ip -n east addr add 192.0.2.2/24 dev e0
# With GRO a veth receives by NAPI, a queue at a time, as a NIC does.
one_queue
must ip -n west link set w0 up txqueuelen 1000
must ip -n east link set e0 up
for i in 0 1; do
	wire s$i a0 10.1.$i.2/24 west in$i 10.1.$i.1/24
	must ip -n s$i route add default via 10.1.$i.1
done
in_quiet west sysctl -qw net.ipv4.ip_forward=1
load_esptun
static_east aes-gcm-256 off
static_west aes-gcm-256 off
must at west esptun peer set dev vpn0 id 1 keepalive 0
must ip -n west route add 10.2.0.0/16 dev vpn0
must ip -n east route add 10.1.0.0/16 dev vpn0
must ip -n east addr add 10.2.0.1/16 dev lo
check "the tunnel carries packets" wait_for 20 pings west 10.9.0.2

# ---- transmit queues -------------------------------------------------------------

xps() {
	in_quiet west sh -c "echo $1 > /sys/class/net/w0/queues/tx-0/xps_cpus
		echo $2 > /sys/class/net/w0/queues/tx-1/xps_cpus"
}

must at west tc qdisc replace dev w0 root handle 1: mq
for q in 1 2; do
	must at west tc qdisc replace dev w0 parent 1:$q pfifo limit 10000
done
must xps 1 2
before=$(counter east rx-replay)
both 3 3000
sleep 0.5
is "a transmit queue for each CPU: none overtakes" "$(($(counter east rx-replay) - before))" 0
used=$(in_quiet west tc -s -j qdisc show dev w0 |
	jq '[.[] | select(.kind == "pfifo" and .packets > 100)] | length')
is "one SA takes one queue" "$used" 1
must at west tc qdisc del dev w0 root

# ---- fq ------------------------------------------------------------------------

# A sender held to 60,000 bytes a second by fq, beside one that is not.
must at west tc qdisc replace dev w0 root fq
before=$(counter east rx-replay)
start west /run/paced taskset -c 1 "$PYTHON" -c 'import socket, time
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.setsockopt(socket.SOL_SOCKET, 47, 60000)  # SO_MAX_PACING_RATE
s.connect(("10.9.0.2", 7001))
s.setblocking(False)
end = time.monotonic() + 3
while time.monotonic() < end:
    try:
        s.send(bytes(1200))
    except OSError:
        time.sleep(0.002)'
paced=$started
flood west 0 10.9.0.2 3 4000
wait "$started" "$paced"
sleep 0.5
is "a sender paced by fq below the tunnel: none overtakes" \
	"$(($(counter east rx-replay) - before))" 0

# ---- the sender's charge ---------------------------------------------------------

# accepted: datagrams that a socket takes before it would block.
accepted() {
	in_quiet west "$PYTHON" -c 'import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 20000)
to = ("10.9.0.2", 9)
s.setblocking(False)
n = 0
try:
    while n < 1000:
        s.sendto(bytes(1200), to)
        n += 1
except BlockingIOError:
    pass
print(n)'
}
for qdisc in 'tbf rate 100kbit burst 3000 limit 4000000' 'fq maxrate 100kbit flow_limit 2000'; do
	# shellcheck disable=SC2086 # words
	must at west tc qdisc replace dev w0 root $qdisc
	n=$(accepted)
	[ "$n" -ge 5 ] && [ "$n" -le 60 ]
	result $? "${qdisc%% *} below: a sender's buffer is full when as much waits there ($n packets)"
done
must at west tc qdisc del dev w0 root

# ---- a slow way out --------------------------------------------------------------

must at west ip neigh replace 192.0.2.2 lladdr 02:00:00:00:00:02 dev w0 nud permanent
{
	echo 'add table ip slow'
	echo 'add chain ip slow rules'
	for ((i = 0; i < 4000; i++)); do
		echo "add rule ip slow rules ip daddr 192.0.2.2 udp sport $((i + 10000)) drop"
	done
	echo 'add chain ip slow out { type filter hook output priority 0; }'
	for ((i = 0; i < 8; i++)); do
		echo 'add rule ip slow out jump rules'
	done
} > /run/rules.nft
must at west nft -f /run/rules.nft

skbs() {
	awk '/^skbuff_head_cache/ { print $2 }' /proc/slabinfo
}

# Seconds that a process on this CPU did not run, at most.
stalled() {
	taskset -c "$1" "$PYTHON" -c 'import time
last = begin = time.monotonic()
worst = 0
while last - begin < 8:
    now = time.monotonic()
    worst = max(worst, now - last)
    last = now
print("%.1f" % worst)'
}

# A host that stands still itself looks the same once, but hardly twice.
patience=$((3 * ${VM_PATIENCE:-1}))
for _ in 1 2; do
	before=$(skbs)
	stalled 0 > /run/stalled0 &
	stalled 1 > /run/stalled1 &
	both 6 4000 &
	most=0
	for ((i = 0; i < 12; i++)); do
		sleep 0.5
		now=$(skbs)
		[ "$now" -le "$most" ] || most=$now
	done
	wait
	[ "$(sort -rn /run/stalled[01] | head -n 1 | cut -d. -f1)" -ge $patience ] || break
done
echo "# skbs $before before, $most at most; stalled $(cat /run/stalled0 /run/stalled1 | tr '\n' ' ')s"
echo "# tx-overflow $(counter west tx-overflow)"
[ $((most - before)) -lt 6000 ]
result $? "a slow way out: what waits is bounded"
[ "$(counter west tx-overflow)" -gt 0 ]
result $? "what is more is counted as tx-overflow"
for i in 0 1; do
	[ "$(cut -d. -f1 /run/stalled$i)" -lt $patience ]
	result $? "CPU $i runs processes meanwhile"
done
must at west nft flush ruleset
must at west ip neigh del 192.0.2.2 dev w0
check "afterwards the tunnel carries packets" wait_for 20 pings west 10.9.0.2
check "rmmod" timeout -k 1 60 rmmod esptun
finish
