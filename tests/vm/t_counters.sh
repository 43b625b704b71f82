#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# vm-tier: full
# vm-timeout: 200
#
# Known traffic, and every place that counts it: SAs, peers, the link as netlink, /proc, /sys and ethtool
# have it, the network namespace. All agree with what was sent and with one another.

# shellcheck source=tests/vm/lib.sh
. "$VM_TOP/tests/vm/lib.sh"

# of_sa NS DIR SPI FIELD: of one SA.
of_sa() {
	in_quiet "$1" esptun -j -s sa show dev vpn0 dir "$2" | jq -r ".[] | select(.spi == \"0x0000${3#0x}\") | $4"
}

# sum_of_sas NS: "RX-PACKETS RX-BYTES TX-PACKETS TX-BYTES" of the SAs there are.
sum_of_sas() {
	in_quiet "$1" esptun -j -s sa show dev vpn0 | jq -r '
		def sum(d; f): [.[] | select(.dir == d) | f // 0] | add // 0;
		"\(sum("in"; .packets)) \(sum("in"; .bytes)) \(sum("out"; .packets)) \(sum("out"; .bytes))"'
}

# The same of the peers, and of the link by each way to read it.
sum_of_peers() {
	in_quiet "$1" esptun -j -s peer show dev vpn0 | jq -r '
		def sum(f): [.[] | f // 0] | add // 0;
		"\(sum(.rx_packets)) \(sum(.rx_bytes)) \(sum(.tx_packets)) \(sum(.tx_bytes))"'
}
of_link() {
	ip -n "$1" -j -s -s link show vpn0 | jq -r '.[0].stats64 | "\(.rx.packets) \(.rx.bytes) \(.tx.packets) \(.tx.bytes)"'
}
of_proc() {
	in_quiet "$1" cat /proc/net/dev | sed -n 's/^ *vpn0: *//p' | awk '{ print $2, $1, $10, $9 }'
}

of_sys() {
	in_quiet "$1" sh -c 'cd /sys/class/net/vpn0/statistics && cat rx_packets rx_bytes tx_packets tx_bytes' | xargs
}

# all_agree NAME NS: nothing moves meanwhile.
all_agree() {
	local name=$1 ns=$2 sas
	sas=$(sum_of_sas "$ns")
	is "$name: peers have the sum of their SAs" "$(sum_of_peers "$ns")" "$sas"
	is "$name: ip -s -s link" "$(of_link "$ns")" "$sas"
	is "$name: /proc/net/dev" "$(of_proc "$ns")" "$sas"
	is "$name: /sys/class/net" "$(of_sys "$ns")" "$sas"
}

# dropped NS: "RX TX" by the counters of the link, by what ip says, by ethtool.
dropped() {
	in_quiet "$1" esptun -br stats dev vpn0 | awk '
		$2 ~ /^rx-(keepalive|ike|dummy)$/ || $2 == "roam-refused" { next }
		$2 ~ /^rx-/ { rx += $3 } $2 ~ /^tx-/ { tx += $3 } END { print rx + 0, tx + 0 }'
}
dropped_ip() {
	ip -n "$1" -j -s link show vpn0 | jq -r '.[0].stats64 | "\(.rx.dropped) \(.tx.dropped)"'
}
dropped_ethtool() {
	in_quiet "$1" ethtool -S vpn0 | awk '
		/ (rx-(keepalive|ike|dummy)|roam-refused): / { next }
		/ rx-/ { rx += $2 } / tx-/ { tx += $2 } END { print rx + 0, tx + 0 }'
}

# send NS ADDRESS COUNT SIZE: as many pings, whatever becomes of them; the inner packet is 28 octets longer.
send() {
	in_quiet "$1" ping -n -q -c "$3" -s "$4" -i 0.05 -W 1 "$2" > /dev/null 2>&1
}

two_peers
# Nothing but what the test sends: no router solicitation, no multicast report.
for end in west east; do
	must ip -n $end addr flush dev vpn0
	must at $end ip link set vpn0 down
	in_quiet $end sysctl -qw net.ipv6.conf.vpn0.disable_ipv6=1
	must at $end ip link set vpn0 up
done
must ip -n west addr add 10.9.0.1/16 dev vpn0
must ip -n east addr add 10.9.0.2/16 dev vpn0
must ip -n east addr add 10.9.1.2/16 dev vpn0
sa() { # NS DIR SPI KEY [OPTION...]
	local ns=$1 dir=$2 spi=$3 key=$4
	shift 4
	must at "$ns" esptun sa add dev vpn0 dir "$dir" spi "$spi" peer 1 algo aes-gcm-128 key "$(key aes-gcm-128 "$key")" "$@"
}
sa west out 0x2001 1 remote-ts 10.9.0.2/32
sa west out 0x2002 2 remote-ts 10.9.1.2/32
sa east in 0x2001 1
sa east in 0x2002 2
sa east out 0x1001 3
sa west in 0x1001 3

# ---- what arrives -------------------------------------------------------------------------------------

send west 10.9.0.2 20 100
send west 10.9.1.2 30 1000
is "the first SA's packets, as sent" "$(of_sa west out 0x2001 '"\(.packets) \(.bytes)"')" '20 2560'
is "the second one's" "$(of_sa west out 0x2002 '"\(.packets) \(.bytes)"')" '30 30840'
is "the other end received them" "$(of_sa east in 0x2001 '"\(.packets) \(.bytes)"') $(of_sa east in 0x2002 '"\(.packets) \(.bytes)"')" \
	'20 2560 30 30840'
is "in all, with the answers" "$(of_link west)" '50 33400 50 33400'
all_agree "pings, west" west
all_agree "pings, east" east
is "and what came is what the other end sent" "$(of_link west | awk '{ print $1, $2 }')" \
	"$(of_link east | awk '{ print $3, $4 }')"

# Super-packets: each counts as the packets it stands for.
check "TCP" iperf west east 10.9.0.2 --bidir
all_agree "TCP, west" west
all_agree "TCP, east" east

# ---- what does not ------------------------------------------------------------------------------------

send west 10.9.2.2 5 100
is "outside of all selectors" "$(counter west tx-no-sa)" 5
sa west out 0x2003 9 remote-ts 10.9.3.2/32
sa east in 0x2003 10
send west 10.9.3.2 7 100
is "with another key than the other end has: on its SA" "$(of_sa east in 0x2003 '.drops.rx_auth')" 7
is "and on its link" "$(counter east rx-auth)" 7
is "but sent they were" "$(of_sa west out 0x2003 '"\(.packets) \(.bytes)"')" '7 896'
sa west out 0x2004 11 remote-ts 10.9.4.2/32
send west 10.9.4.2 6 100
is "to an SPI that is not there: of no link" "$(in_quiet east esptun -br stats | awk '$1 == "-" && $2 == "rx-no-sa" { print $3 }')" 6
is "nor of this one" "$(in_quiet east ethtool -S vpn0 | awk '/ rx-no-sa: / { print $2 }')" 0
for end in west east; do
	is "drops of the $end: ip says the sum of the link's counters" "$(dropped_ip $end)" "$(dropped $end)"
	is "so does ethtool" "$(dropped_ethtool $end)" "$(dropped $end)"
	all_agree "after drops, $end" $end
done
is "of the west, what had no SA alone" "$(dropped west | awk '{ print $2 }')" 5

# ---- SAs come and go ----------------------------------------------------------------------------------

before=$(of_link west)
must at west esptun sa del dev vpn0 dir out spi 0x2002 peer 1
is "a peer keeps what a deleted SA carried" "$(sum_of_peers west)" "$before"
is "so does the link" "$(of_link west)" "$before"

# ---- ethtool ------------------------------------------------------------------------------------------

features=$(at west ethtool -k vpn0)
for feature in scatter-gather tcp-segmentation-offload generic-segmentation-offload generic-receive-offload \
	tx-udp-segmentation tx-checksumming; do
	like "ethtool -k: $feature" "$features" "^[[:space:]]*$feature: on"
done
like "ethtool -i" "$(at west ethtool -i vpn0)" '^driver: esptun$'
finish
