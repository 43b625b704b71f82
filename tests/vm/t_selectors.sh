#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# vm-tier: full
# vm-timeout: 300
#
# Selectors: of one protocol or port, and what becomes of fragments (RFC 4301 7.1);
# changed in mid-stream without a lost packet, a number used twice, or a window reset.

# shellcheck source=tests/vm/lib.sh
. "$VM_TOP/tests/vm/lib.sh"

two_peers
# What the hosts say by themselves is not to be counted.
for ns in west east; do
	in_quiet $ns sysctl -qw net.ipv6.conf.vpn0.router_solicitations=0
done

# pair SELECTORS: the same for both sides at both ends, or any.
pair() {
	local ns
	for ns in west east; do
		must at $ns esptun sa flush dev vpn0
	done
	# shellcheck disable=SC2086 # words
	{
		esptun_sas west 1 aes-gcm-256 off $SPI_WEST 0x50 $SPI_EAST 0xa0 local-ts $1 remote-ts $1
		esptun_sas east 1 aes-gcm-256 off $SPI_EAST 0xa0 $SPI_WEST 0x50 local-ts $1 remote-ts $1
	}
}
# udp LENGTH: a datagram to the east's port 7777.
udp() {
	must at west "$PYTHON" -c 'import socket, sys
socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b"x" * int(sys.argv[1]), ("10.9.0.2", 7777))' "$1"
}
# grew NS COUNTER BEFORE
grew() {
	[ "$(counter "$1" "$2")" -gt "$3" ]
}

# ---- one protocol ------------------------------------------------------------------

pair '[fd00:9::/64]:icmpv6'
check "IPv6, ICMP only" pings west fd00:9::2
check "IPv6, ICMP only, fragments" pings west fd00:9::2 -s 3000
pair '10.9.0.0/24:icmp'
check "IPv4, ICMP only" pings west 10.9.0.2
check "IPv4, ICMP only, fragments" pings east 10.9.0.1 -s 3000
pair '10.9.0.0/24:icmp:2048-2303 10.9.0.0/24:icmp:0-255'
check "echo requests and replies only, by type" pings west 10.9.0.2
pair '10.9.0.0/24:tcp'
check "TCP only" iperf west east 10.9.0.2
refuse "and nothing else" 'Unreachable|100% packet loss' at west ping -n -c 1 -W 5 10.9.0.2

# ---- ports and fragments -------------------------------------------------------------

start east udp.log "$PYTHON" -uc 'import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(("10.9.0.2", 7777))
print("ready")
while True:
    print(len(s.recv(65536)))'
wait_for 10 holds udp.log ready || bail "$(cat udp.log)"
pair '10.9.0.0/24:udp:1-65535'
udp 101
check "ports: a whole datagram passes" wait_for 10 holds udp.log '^101$'
before=$(counter west tx-ts-fragment)
udp 3000
check "later fragments have no ports: not sent, counted as what they are" \
	wait_for 10 grew west tx-ts-fragment "$before"
must at west esptun sa set dev vpn0 dir out spi $SPI_EAST peer 1 remote-ts any local-ts any
before=$(counter east rx-ts-fragment)
udp 3001
check "nor received" wait_for 10 grew east rx-ts-fragment "$before"
unlike "so the datagram does not arrive" "$(cat udp.log)" '300[01]'
must at east esptun sa set dev vpn0 dir in spi $SPI_EAST local-ts 10.9.0.0/24:udp:0-65535 remote-ts 10.9.0.0/24:udp
udp 3002
check "all ports are no ports: fragments pass" wait_for 10 holds udp.log '^3002$'

# ---- changed in mid-stream --------------------------------------------------------------

pair 10.9.0.0/24
must ip -n west route add 10.8.0.0/24 dev vpn0
must ip -n east addr add 10.8.0.2/32 dev vpn0
refuse "outside of the selectors" 'Unreachable' at west ping -n -c 1 -W 5 10.8.0.2
start west stream.log ping -n -i 0.02 -c 200 10.9.0.2
for round in 1 2 3 4 5; do
	for prefix in "10.9.0.0/24 10.8.0.0/24" 10.9.0.0/24 any 10.9.0.2/32 10.9.0.0/24; do
		# shellcheck disable=SC2086 # words
		at west esptun sa set dev vpn0 dir out spi $SPI_EAST peer 1 remote-ts $prefix || result 1 "round $round"
	done
done
check "a stream goes on while its SA's selectors change" wait_for 60 holds stream.log '200 received'
must at west esptun sa set dev vpn0 dir out spi $SPI_EAST peer 1 remote-ts 10.9.0.0/24 10.8.0.0/24
must at west esptun sa set dev vpn0 dir in spi $SPI_WEST remote-ts 10.9.0.0/24 10.8.0.0/24
must at east esptun sa set dev vpn0 dir in spi $SPI_EAST local-ts 10.9.0.0/24 10.8.0.0/24
must at east esptun sa set dev vpn0 dir out spi $SPI_WEST peer 1 local-ts 10.9.0.0/24 10.8.0.0/24
check "what was added passes" pings west 10.8.0.2
is "sequence numbers went on, and no window was reset" "$(counter east rx-replay) $(counter west rx-replay)" '0 0'
[ "$(at west esptun -j -s sa show dir out | jq '.[0].seq')" -ge 203 ]
result $? "the number is that of all packets"
is "what is shown" "$(at west esptun -j sa show dir out | jq -c '.[0] | [.local_ts, .remote_ts]')" \
	'[["10.9.0.0/24"],["10.9.0.0/24","10.8.0.0/24"]]'
must at west esptun sa set dev vpn0 dir out spi $SPI_EAST peer 1 remote-ts 10.9.0.0/24 limit hard-packets 1000000
refuse "what was taken away does not" 'Unreachable' at west ping -n -c 1 -W 5 10.8.0.2
is "limits change with them" "$(at west esptun -j sa show dir out | jq '.[0].hard_packets')" 1000000

# ---- a new SA goes on where the old one stopped -----------------------------------------

last=$(at west esptun -j -s sa show dir out | jq '.[0].seq')
must at west esptun sa del dev vpn0 dir out spi $SPI_EAST peer 1
must at west esptun sa add dev vpn0 dir out spi $SPI_EAST peer 1 algo aes-gcm-256 \
	key "$(key aes-gcm-256 0xa0)" seq "$last"
check "seq: the peer's window takes what follows" pings west 10.9.0.2
is "and finds nothing twice" "$(counter east rx-replay)" 0
is "it went on" "$(at west esptun -j -s sa show dir out | jq '.[0].seq')" $((last + 3))
finish
