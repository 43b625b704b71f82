#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# vm-timeout: 250
#
# Life of a link of kind esptun, by ip(8) with our plugin.

# shellcheck source=tests/vm/lib.sh
. "$VM_TOP/tests/vm/lib.sh"

# data DEV FIELD: of the link's own options, as ip -d -j shows them.
data() {
	ip -n west -d -j link show "$1" | jq -r --arg f "$2" '.[0].linkinfo.info_data[$f]'
}

# Every UDP socket counts, the kernel's own too: /proc/net/udp has the port in hex.
open_port() {
	ip netns exec "$1" grep -qi ":$(printf %04x "$2") " /proc/net/udp
}

closed_port() {
	! open_port "$@"
}

add_ns west other
wire west w0 192.0.2.1/24 other o0 192.0.2.2/24
load_esptun

# ---- create, show ---------------------------------------------------------------

check "ip link add with every option" at west ip link add vpn0 type esptun \
	local 192.0.2.1 port 4501 fwmark 0x17 tos 0x20 ttl 77
is "kind" "$(ip -n west -d -j link show vpn0 | jq -r '.[0].linkinfo.info_kind')" esptun
is "local" "$(data vpn0 local)" 192.0.2.1
is "port" "$(data vpn0 port)" 4501
is "fwmark" "$(printf %d "$(data vpn0 fwmark)")" 23
is "tos" "$(printf %d "$(data vpn0 tos)")" 32
is "ttl" "$(data vpn0 ttl)" 77
like "the same as text" "$(at west ip -d link show vpn0)" \
	'esptun.*local 192\.0\.2\.1.*port 4501.*fwmark 0x17.*tos 0x20.*ttl 77'
said=$(at west ip link show vpn0)
like "no ARP, point to point, no hardware address" "$said" 'POINTOPOINT.*NOARP|NOARP.*POINTOPOINT|link/none'
is "MTU of an Ethernet underlay" "$(ip -n west -j link show vpn0 | jq '.[0].mtu >= 1400 and .[0].mtu < 1460')" true
check "port 4501 is open" wait_for 5 open_port west 4501
check "add with defaults" at west ip link add vpn1 type esptun
is "default port" "$(data vpn1 port)" 4500
check "a second link on the same port" at west ip link add vpn2 type esptun
check "delete one" at west ip link del vpn1
check "the port stays open for the other" open_port west 4500
check "delete the other" at west ip link del vpn2
check "the port is closed" wait_for 5 closed_port west 4500

# ---- ethtool --------------------------------------------------------------------

counters=$(at west ethtool -S vpn0)
is "ethtool -S shows the counters of esptun stats" \
	"$(awk -F'[: ]+' 'NR > 1 { print $2 }' <<< "$counters" | sort | xargs)" \
	"$(at west esptun -d -br stats dev vpn0 | awk '{ print $2 }' | sort | xargs)"
must at west ip link set vpn0 up
must at west ip route add 10.8.0.0/24 dev vpn0
at west ping -n -c 3 -i 0.2 -W 1 10.8.0.1 > /dev/null 2>&1
# The host may say something of its own in between.
same_value() {
	local value
	value=$(at west ethtool -S vpn0 | awk '/ tx-no-sa: /{ print $2 }')
	[ "$value" -ge 1 ] && [ "$value" = "$(at west esptun -br stats dev vpn0 | awk '/ tx-no-sa /{ print $3 }')" ]
}
check "and their values" wait_for 5 same_value
must at west ip link set vpn0 down
# Down, it counts nothing of its own in between.
is "ip -s link shows the sum of those that count drops" \
	"$(ip -n west -j -s link show vpn0 | jq -c '.[0].stats64 | [.rx.dropped, .tx.dropped]')" \
	"$(at west ethtool -S vpn0 | awk '/ rx-(keepalive|ike|dummy): / { next }
		/ rx-/ { rx += $2 } / tx-/ { tx += $2 } END { print "[" rx + 0 "," tx + 0 "]" }')"
said=$(at west ethtool -i vpn0)
like "the driver" "$said" '^driver: esptun$'
like "the driver's version is the programs'" "$said" "^version: $(esptun -V | cut -d' ' -f2)\$"
is "and the module's" "$(cat /sys/module/esptun/version)" "$(esptun -V | cut -d' ' -f2)"

# ---- change ---------------------------------------------------------------------

check "change options" at west ip link set vpn0 type esptun local 192.0.2.9 fwmark 0x18 tos inherit ttl 5
is "local changed" "$(data vpn0 local)" 192.0.2.9
must at west ip link set vpn0 type esptun local 2001:db8::9
is "local of IPv6" "$(data vpn0 local)" 2001:db8::9
must at west ip link set vpn0 type esptun local any
is "none" "$(data vpn0 local)" any
is "fwmark changed" "$(printf %d "$(data vpn0 fwmark)")" 24
is "ttl changed" "$(data vpn0 ttl)" 5
is "port not" "$(data vpn0 port)" 4501
check "the port" at west ip link set vpn0 type esptun port 4502
is "changed, nothing else" "$(data vpn0 port) $(data vpn0 ttl)" '4502 5'
must at west ip link set vpn0 type esptun port 4501
check "MTU" at west ip link set vpn0 mtu 1280
is "MTU changed" "$(ip -n west -j link show vpn0 | jq '.[0].mtu')" 1280
refuse "MTU too small" 'mtu|MTU|Invalid|less' at west ip link set vpn0 mtu 60
refuse "MTU too large" 'mtu|MTU|Invalid|greater' at west ip link set vpn0 mtu 65536
check "up" at west ip link set vpn0 up
check "address" at west ip addr add 10.9.0.1/24 dev vpn0
check "down" at west ip link set vpn0 down
check "rename" at west ip link set vpn0 name tunnel9
check "rename back" at west ip link set tunnel9 name vpn0

# ---- refused --------------------------------------------------------------------

before=$(ip -n west -j link show | jq length)
refuse "name taken" 'exists' at west ip link add vpn0 type esptun
start west /run/squatter.log "$PYTHON" "$VM_LIB/encap-socket" 192.0.2.1
must wait_for 10 holds /run/squatter.log ready
refuse "port taken by another program: one sentence that says so" '4500.*in use|in use.*4500|taken' \
	at west ip link add vpn3 type esptun
stop "$started"
check "port free again" at west ip link add vpn3 type esptun
must at west ip link del vpn3
refuse "port 0" '[Pp]ort' at west ip link add vpn3 type esptun port 0
refuse "port 65536" '65536|port' at west ip link add vpn3 type esptun port 65536
refuse "port that is no number" 'port|abc' at west ip link add vpn3 type esptun port abc
refuse "ttl 256" 'ttl|256' at west ip link add vpn3 type esptun ttl 256
refuse "local that is no address" 'local|300' at west ip link add vpn3 type esptun local 300.1.1.1
for address in 224.0.0.1 ff02::1 fe80::1 ::ffff:192.0.2.1 ::; do
	refuse "local $address" 'outer address' at west ip link add vpn3 type esptun local $address
done
refuse "unknown option" 'colour|unknown|Usage' at west ip link add vpn3 type esptun colour red
is "none of that made a link" "$(ip -n west -j link show | jq length)" "$before"

# ---- without the plugin -----------------------------------------------------------

check "ip without the plugin makes one with defaults" \
	at west env IP_LIB_DIR=/nonexistent ip link add vpn4 type esptun
must at west ip link del vpn4

# ---- many -----------------------------------------------------------------------

many() {
	local i
	for ((i = 0; i < 50; i++)); do
		echo "link add many$i type esptun port $((5000 + i % 7))"
	done | ip -n west -b - || return 1
	[ "$(ip -n west -j -d link show type esptun | jq length)" = 51 ] || return 1
	for ((i = 0; i < 50; i++)); do
		echo "link del many$i"
	done | ip -n west -b -
}
check "fifty links over seven ports, made and deleted" many

# ---- another network namespace ----------------------------------------------------

two_ends() {
	must at other ip link add vpn0 type esptun local 192.0.2.2
	must at other ip addr add 10.9.0.2/24 dev vpn0
	must at other ip link set vpn0 up
	must at other esptun peer add dev vpn0 id 1 remote 192.0.2.1 port 4500
	esptun_sas other 1 aes-gcm-128 off $SPI_EAST 0xa0 $SPI_WEST 0x50
	must at west ip link del vpn0
	must at west ip link add vpn0 type esptun local 192.0.2.1
	must at west esptun peer add dev vpn0 id 1 remote 192.0.2.2 port 4500
	esptun_sas west 1 aes-gcm-128 off $SPI_WEST 0x50 $SPI_EAST 0xa0
}
two_ends
add_ns inner
check "move to another namespace" at west ip link set vpn0 netns inner
must at inner ip addr add 10.9.0.1/24 dev vpn0
must at inner ip link set vpn0 up
check "the tunnel's packets still leave from where it was made" pings inner 10.9.0.2
check "and back: ping from the other end" pings other 10.9.0.1
check "deleting the namespace it is in takes the link" ip netns del inner
check "its port is closed then" wait_for 10 closed_port west 4500
must at west ip link add vpn0 type esptun
add_ns inner
must at west ip link set vpn0 netns inner
must at inner ip link set vpn0 up
check "deleting the namespace it was made in" ip netns del west
check "leaves nothing that hangs" timeout 60 ip -n inner link show
must ip netns del inner

finish
