#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# vm-tier: full
# vm-timeout: 300
#
# Where a packet cannot go out: held for an agent and released or given up, a
# route that leads back into the tunnel, sequence numbers used up.

# shellcheck source=tests/vm/lib.sh
. "$VM_TOP/tests/vm/lib.sh"

nl=$VM_LIB/nl

# agent NS: holds the IKE channel and does nothing else; its PID is in $started.
agent() {
	local log
	log=$(mktemp)
	start "$1" "$log" "$PYTHON" -c 'import sys, time
sys.path.insert(0, sys.argv[1])
import genl
family = genl.Family()
family.call("ike-bind")
print("ready", flush=True)
time.sleep(600)' "$VM_LIB"
	wait_for 10 holds "$log" ready || bail "agent: $(cat "$log")"
}

# watch NS FILE SECONDS: notifications, until none came for so long.
watch() {
	start "$1" "$2" "$nl" --watch "$3"
	wait_for 10 holds "$2" ready || bail "watch: $(cat "$2")"
}

# acquires FILE DESTINATION: acquires for it in what watch wrote.
acquires() {
	grep acquire "$1" | grep -c "\"destination\": \"$2\""
}

# raised NS COUNTER BEFORE LEAST: for wait_for
raised() {
	[ $(($(counter "$1" "$2") - $3)) -ge "$4" ]
}

two_hosts
load_esptun
static_east aes-gcm-256 off
# Without IPv6, whose hosts say hello by multicast: that would be held too.
must at west ip link add vpn0 type esptun local 192.0.2.1
in_quiet west sysctl -qw net.ipv6.conf.vpn0.disable_ipv6=1
must at west ip addr add 10.9.0.1/24 dev vpn0
must at west ip link set vpn0 up
must at west esptun peer add dev vpn0 id 1 remote 192.0.2.2 port 4500
must ip -n west route add 10.8.0.0/24 dev vpn0
must ip -n west route add 10.7.0.0/24 dev vpn0

# ---- held for an agent ----------------------------------------------------------

agent west
agent=$started
watch west watch1 60
must at west esptun sa add dev vpn0 dir in spi $SPI_WEST peer 1 \
	algo aes-gcm-256 key "$(key aes-gcm-256 0x50)" esn off
start west ping1 ping -n -c 3 -i 0.01 -W 30 10.9.0.2
sleep 0.7
must at west esptun sa add dev vpn0 dir out spi $SPI_EAST peer 1 \
	algo aes-gcm-256 key "$(key aes-gcm-256 0xa0)" esn off
check "packets are held for an agent, and sent once there is an SA" \
	wait_for 20 holds ping1 '3 packets transmitted, 3 received'
is "none was given up" "$(counter west tx-held)" 0
check "they raised acquire" wait_for 40 holds watch1 acquire
is "of three at once, one asks" "$(acquires watch1 10.9.0.2)" 1
must at west esptun sa flush dev vpn0
before=$(counter west tx-held)
begin=${EPOCHREALTIME/./}
start west ping2 ping -n -c 1 -W 30 10.8.0.1
check "without an SA a packet is given up, and counted" wait_for 20 raised west tx-held "$before" 1
took=$(((${EPOCHREALTIME/./} - begin) / 1000))
[ $took -ge 4000 ]
result $? "after five seconds ($took ms)"
check "and its sender is told" wait_for 10 holds ping2 'Unreachable'

before=$(counter west tx-held)
must at west "$PYTHON" -c 'import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
for i in range(40):
    s.sendto(b"x", ("10.7.0.1", 9))'
raised west tx-held "$before" 24
result $? "of 40 packets to one destination 16 are held, the oldest give way and are counted"
check "later the others too" wait_for 20 raised west tx-held "$before" 40

# One destination, or a host that tries many, leaves room for others. In one program,
# because what is held is held for five seconds. Three others, because there are 32 places for
# destinations and 16 for sources, by a hash: one of them may have to share.
for i in 3 4 5; do
	must ip -n west addr add 10.9.0.$i/24 dev vpn0
	must ip -n east addr add 10.9.0.1$i/24 dev vpn0
done
start east victims "$PYTHON" -uc 'import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(("", 7))
print("ready")
while True:
    print(s.recv(2000).decode())'
wait_for 10 holds victims ready || bail "$(cat victims)"
watch west watch3 60
before=$(counter west tx-held)
must at west "$PYTHON" -c 'import socket, sys
sys.path.insert(0, sys.argv[1])
import genl
family = genl.Family()
def sender(address):
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.bind((address, 0))
    return s
one, others = sender("10.9.0.1"), [sender("10.9.0.%d" % i) for i in (3, 4, 5)]
for i, other in enumerate(others):
    other.sendto(b"victim", ("10.9.0.%d" % (13 + i), 7))
for i in range(200):
    one.sendto(b"x", ("10.7.0.1", 9))
for i in range(250):
    one.sendto(b"x", ("10.8.0.%d" % (i + 1), 9))
for i, other in enumerate(others):
    other.sendto(b"x", ("10.7.0.%d" % (100 + i), 9))
# Beyond the numbers that the window in the east has seen.
family.call("sa-new", {"ifindex": genl.ifindex("vpn0"), "sa": {
    "spi": 12289, "dir": "out", "peer": 1, "encr": 20, "encr-key": sys.argv[2],
    "seq": 100, "ts-remote": [{"address": "10.9.0.0", "prefix-len": 24}]}})' "$VM_LIB" "$(key aes-gcm-256 0xa0 | cut -c3-)"
check "much for one destination, and a scan, do not push out what another waits for" \
	wait_for 20 holds victims victim
# Of 456 that came 128 stayed at most.
raised west tx-held "$before" 328
result $? "of 456 packets 128 are kept at most"
check "a source that tries 250 addresses does not keep another's acquire from the agent" \
	wait_for 20 holds watch3 '10\.7\.0\.10[012]'
must at west esptun sa flush dev vpn0
# New in the east too, whose window has seen these numbers.
must at east esptun sa flush dev vpn0
esptun_sas east 1 aes-gcm-256 off $SPI_EAST 0xa0 $SPI_WEST 0x50
must at west esptun sa add dev vpn0 dir in spi $SPI_WEST peer 1 \
	algo aes-gcm-256 key "$(key aes-gcm-256 0x50)" esn off

# An SA that does not cover the packet: nobody will come up with another one.
must at west "$nl" sa-new '{"ifindex":"vpn0","sa":{"spi":12289,"dir":"out","peer":1,"encr":20,"encr-key":"'"$(
	key aes-gcm-256 0xa0 | cut -c3-)"'","ts-remote":[{"address":"10.9.0.0","prefix-len":24}]}}'
# Until nothing of the above is held any more.
sleep 6
before=$(counter west tx-no-sa) held=$(counter west tx-held)
like "outside of all selectors: unreachable although there is an agent" \
	"$(at west ping -n -c 1 -W 20 10.8.0.2 2>&1)" 'Unreachable'
raised west tx-no-sa "$before" 1 && ! raised west tx-held "$held" 1
result $? "at once, and counted"
must at west esptun sa flush dev vpn0

start west ping3 ping -n -c 1 -W 20 10.8.0.3
sleep 1
stop "$agent"
sleep 0.2
before=$(counter west tx-no-sa)
like "without the agent there is an answer again" \
	"$(at west ping -n -c 1 -W 20 10.8.0.4 2>&1)" 'Unreachable'
raised west tx-no-sa "$before" 1
result $? "at once"
check "and what it left waiting is given up" wait_for 20 holds ping3 'Unreachable'

# ---- a route back into the tunnel -----------------------------------------------

# New in the east too, whose window has seen these numbers.
must at east esptun sa flush dev vpn0
esptun_sas east 1 aes-gcm-256 off $SPI_EAST 0xa0 $SPI_WEST 0x50
esptun_sas west 1 aes-gcm-256 off $SPI_WEST 0x50 $SPI_EAST 0xa0
check "ping before" pings west 10.9.0.2
before=$(counter west tx-loop)
must ip -n west route add 192.0.2.2/32 dev vpn0
like "the peer's address routed into the tunnel: unreachable" \
	"$(at west ping -n -c 2 -i 0.3 -W 5 10.9.0.2 2>&1)" 'Unreachable'
raised west tx-loop "$before" 2
result $? "and counted as tx-loop"
must ip -n west route del 192.0.2.2/32 dev vpn0
check "without that route it works again" pings west 10.9.0.2

# ---- no sequence numbers left ---------------------------------------------------

must at west esptun sa flush dev vpn0
must at west esptun sa add dev vpn0 dir in spi $SPI_WEST peer 1 \
	algo aes-gcm-256 key "$(key aes-gcm-256 0x50)" esn off
must at west "$nl" sa-new '{"ifindex":"vpn0","sa":{"spi":12289,"dir":"out","peer":1,"encr":20,"encr-key":"'"$(
	key aes-gcm-256 0xa0 | cut -c3-)"'","seq":4294967280}}'
watch west watch2 60
capture west w0 last.pcap udp
like "of 20 packets, the 15 that have numbers are answered" \
	"$(at west ping -n -c 20 -i 0.05 -W 10 10.9.0.2 2>&1)" '20 packets transmitted, 15 received'
capture_end "$started"
numbers=$(tshark -n -r "$VM_OUT/last.pcap" -Y 'ip.src == 192.0.2.1 && esp' -T fields -e esp.sequence 2> /dev/null)
is "the last on the wire is 2^32-1" "$(tail -n 1 <<< "$numbers")" 4294967295
is "and none comes twice or starts anew" \
	"$(sort -n <<< "$numbers" | uniq | awk '$1 > 4294967280' | wc -l)" "$(grep -c . <<< "$numbers")"
[ "$(counter west tx-sequence)" -ge 1 ]
result $? "the first without a number is counted as tx-sequence"
[ $(($(counter west tx-sequence) + $(counter west tx-expired))) -ge 5 ]
result $? "the others as tx-expired"
is "the SA is dead" "$(at west esptun -j sa show dev vpn0 | jq -r '.[] | select(.dir == "out") | .state')" dead
wait_for 60 holds watch2 '"sequence"'
is "it warned in time and told the end" \
	"$(grep expire watch2 | grep -o '"expire-reason": "[a-z]*"' | cut -d'"' -f4 | tr '\n' ' ')" 'soft sequence '
must at west esptun sa del dev vpn0 dir out spi $SPI_EAST peer 1
must at west esptun sa add dev vpn0 dir out spi $SPI_EAST peer 1 \
	algo aes-gcm-256 key "$(key aes-gcm-256 0xa0)" esn off
must at east esptun sa flush dev vpn0
esptun_sas east 1 aes-gcm-256 off $SPI_EAST 0xa0 $SPI_WEST 0x50
check "new SAs carry on" pings west 10.9.0.2

finish
