#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# vm-tier: full
# vm-timeout: 200
#
# Tunnels in one another: eight work, a ninth is a loop, and the kernel's stack
# does not grow with each of them.

# shellcheck source=tests/vm/lib.sh
. "$VM_TOP/tests/vm/lib.sh"

# send N: five datagrams into the Nth tunnel.
send() {
	at west "$PYTHON" -c 'import socket, sys
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
for _ in range(5):
    s.sendto(bytes(100), ("198.51.100.%s" % sys.argv[1], 9))' "$1"
}

# arrived: UDP datagrams that reached the east.
arrived() {
	counter east rx-no-sa
}

all_arrived() {
	[ "$(arrived)" = "$1" ]
}

# stack: the deepest that a kernel stack was since the last call, in bytes.
stack() {
	cat /sys/kernel/tracing/stack_max_size
	echo 0 > /sys/kernel/tracing/stack_max_size
}

two_hosts
load_esptun
must at east ip link add vpn0 type esptun
must at east ip link set vpn0 up
for ((i = 0; i < 9; i++)); do
	must at west ip link add vpn$i type esptun local 192.0.2.1 port $((4500 + i))
	must at west ip link set vpn$i mtu 1500 up
	remote=198.51.100.$i
	[ $i -gt 0 ] || remote=192.0.2.2
	must at west esptun peer add dev vpn$i id 1 remote $remote keepalive 0
	must at west esptun sa add dev vpn$i dir out spi $((0x3000 + i)) peer 1 \
		algo aes-gcm-256 key "$(key aes-gcm-256 $i)"
	must ip -n west route add 198.51.100.$((i + 1))/32 dev vpn$i src 192.0.2.1
done
echo 1 > /proc/sys/kernel/stack_tracer_enabled
must send 1 > /dev/null
stack > /dev/null
before=$(arrived)
for i in 1 5 8; do
	# The least of three: anything that runs meanwhile may have a deeper one.
	depth[i]=16384
	for _ in 1 2 3; do
		must send $i
		wait_for 10 all_arrived $((before += 5)) || break
		now=$(stack)
		[ "$now" -gt "${depth[i]}" ] || depth[i]=$now
	done
	check "$i in one another: all packets leave" all_arrived "$before"
done
echo 0 > /proc/sys/kernel/stack_tracer_enabled
echo "# stack with one tunnel ${depth[1]}, five ${depth[5]}, eight ${depth[8]} bytes"
[ "${depth[8]}" -lt 10000 ]
result $? "eight leave a third of a kernel stack of 16 KB"
# A worker takes what the fifth encrypted, so a sixth begins on a stack of its own.
[ "${depth[8]}" -lt $((depth[5] + 900)) ]
result $? "and take no more of it than five"
must send 9
looped() {
	[ "$(counter west tx-loop)" = 5 ]
}
check "a ninth is counted as tx-loop" wait_for 10 looped
is "and does not leave" "$(arrived)" "$before"
finish
