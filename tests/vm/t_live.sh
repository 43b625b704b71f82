#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# vm-tier: full
# vm-timeout: 300
#
# A link that is changed while it carries packets: port, fwmark, underlay device, source address;
# outer packets inside a VRF, inner ones inside another. What is on the wire says where packets went.
#
#   west                                      east
#   w0 192.0.2.1/24    ------- veth -------   e0 192.0.2.2/24
#   w1 198.51.100.1/24 ------- veth -------   e1 198.51.100.2/24
#   w2 203.0.113.1/24  ------- veth -------   e2 203.0.113.2/24    (w2 is of the VRF red)
#   vpn0 10.9.0.1                             vpn0 10.9.0.2
#   vpn1 10.8.0.1                             vpn1 10.8.0.2        (by red)

# shellcheck source=tests/vm/lib.sh
. "$VM_TOP/tests/vm/lib.sh"

# set_link OPTION...: of vpn0 in the west.
set_link() {
	at west ip link set vpn0 type esptun "$@"
}

# data DEV FIELD: of the link's own options.
data() {
	ip -n west -d -j link show "$1" | jq -r --arg f "$2" '.[0].linkinfo.info_data[$f]'
}

# seen FILE FILTER: packets of a capture.
seen() {
	tcpdump -n -r "$VM_OUT/$1" "$2" 2> /dev/null | wc -l
}

# travels NAME FILTER [DEV [FROM TO]]: pings get through, and ESP leaves DEV (or w0) as FILTER says, all of it.
travels() {
	local name=$1 filter=$2 dev=${3:-w0} from=${4:-west} to=${5:-10.9.0.2} capture
	capture west "$dev" live.pcap 'udp or esp or ip6'
	capture=$started
	check "$name: pings" pings "$from" "$to"
	capture_end "$capture"
	check "$name: on $dev is $filter" [ "$(seen live.pcap "$filter")" -ge 3 ]
}

open_port() {
	ip netns exec "$1" grep -qi ":$(printf %04x "$2") " /proc/net/udp
}

closed_port() {
	! open_port "$@"
}

two_hosts
wire west w1 198.51.100.1/24 east e1 198.51.100.2/24
wire west w2 203.0.113.1/24 east e2 203.0.113.2/24
in_quiet east sysctl -qw net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.default.rp_filter=0
in_quiet west sysctl -qw net.ipv4.conf.all.rp_filter=0
load_esptun
static_west aes-gcm-128 on
static_east aes-gcm-128 on
travels "as made" 'src 192.0.2.1 and udp src port 4500 and dst port 4500'

# ---- port --------------------------------------------------------------------------

check "another port" set_link port 4600
is "it shows" "$(data vpn0 port)" 4600
check "the former one is closed" closed_port west 4500
travels "from the new port" 'src 192.0.2.1 and udp src port 4600'
check "to the new port, for the other end follows" [ "$(seen live.pcap 'dst 192.0.2.1 and udp dst port 4600')" -ge 3 ]
start west /run/squatter.log "$PYTHON" "$VM_LIB/encap-socket" 192.0.2.1
must wait_for 10 holds /run/squatter.log ready
refuse "a port that another program has" '4500.*taken' set_link port 4500 fwmark 0x99 ttl 3
is "changed nothing" "$(data vpn0 port) $(data vpn0 fwmark) $(data vpn0 ttl)" '4600 null auto'
stop "$started"
check "and nothing stopped" pings west 10.9.0.2
# What is on its way while the port changes may be lost, no more.
many_ports() {
	local i
	for i in $(seq 4601 4620); do
		ip -n west link set vpn0 type esptun port "$i" || return 1
		sleep 0.1
	done
	ip -n west link set vpn0 type esptun port 4500
}
start west /run/flood.log ping -n -i 0.02 -w 8 10.9.0.2
flood=$started
check "twenty other ports amid packets, and back" many_ports
wait "$flood"
read -r sent received <<< "$(sed -n 's/\([0-9]*\) packets transmitted, \([0-9]*\) received.*/\1 \2/p' /run/flood.log)"
check "most of them came" [ $((2 * ${received:-0})) -ge "${sent:-1}" ]
check "a second link on the port" at west ip link add two type esptun port 4500
check "goes, and the first one carries on" at west ip link set two type esptun port 4700
travels "with its own port" 'udp src port 4500'
check "back to where the first one is, too" at west ip link set two type esptun port 4500
check "4700 is closed" closed_port west 4700
must at west ip link del two
check "4500 is not" open_port west 4500

# ---- fwmark ------------------------------------------------------------------------

must at west ip rule add fwmark 0x23 table 100
must at west ip route add default via 198.51.100.2 dev w1 table 100
check "a mark" set_link fwmark 0x23
travels "routed by it" 'src 192.0.2.1 and udp dst port 4500' w1
check "and none" set_link fwmark 0
travels "routed without" 'src 192.0.2.1 and udp dst port 4500'

# ---- address -----------------------------------------------------------------------

must at west ip addr del 192.0.2.1/24 dev w0
check "without its source address nothing leaves" in_quiet west \
	sh -c '! ping -n -c 2 -i 0.2 -W 1 10.9.0.2'
check "which is counted as no route" [ "$(counter west tx-no-route)" -ge 1 ]
must at west ip addr add 192.0.2.1/24 dev w0
travels "the address is back" 'src 192.0.2.1'

# ---- underlay device ----------------------------------------------------------------

must at west ip route add default via 198.51.100.2 dev w1 metric 1000
refuse "a dev that is not there" 'dev' set_link dev nope
refuse "the link itself" 'dev: this is the link itself' set_link dev vpn0
check "a dev" set_link dev w1
is "it shows" "$(data vpn0 dev)" w1
before=$(counter west rx-no-sa)
capture west w1 dev.pcap udp
capture=$started
at west ping -n -c 3 -i 0.2 -W 1 10.9.0.2 > /dev/null
capture_end "$capture"
check "outer packets leave by it, though another route is better" \
	[ "$(seen dev.pcap 'src 192.0.2.1 and udp dst port 4500')" -ge 3 ]
is "what comes by another device is not received" "$(counter west rx-no-sa)" "$before"
must at east ip route add 192.0.2.1/32 via 198.51.100.1 dev e1
travels "by it both ways" 'udp port 4500' w1
refuse "a second link of this port without a dev" 'either all have a dev, or none' \
	at west ip link add two type esptun
check "one with a dev of its own" at west ip link add two type esptun dev w0
refuse "of which neither may give it up" 'either all have a dev, or none' set_link dev any
must at west ip link del two
must at east ip route del 192.0.2.1/32
check "no dev again" set_link dev any
travels "as before" 'udp port 4500'
lose_dev() {
	must at west ip link add gone0 type dummy
	must at west ip link set gone0 up
	must set_link dev gone0
	must at west ip link del gone0
}
lose_dev
check "a dev that goes takes no link along" in_quiet west \
	sh -c '! ping -n -c 2 -i 0.2 -W 1 10.9.0.2'
check "which can have another one" set_link dev w0
travels "then" 'udp port 4500'

# A known source, learned or configured, is no reason to leave another way.
must ip -n west addr add 2001:db8:1::1/64 dev w1 nodad
must ip -n east addr add 2001:db8:1::2/64 dev e1 nodad
must at west esptun peer set dev vpn0 id 1 remote 2001:db8:1::2 port 4500
must at east esptun peer set dev vpn0 id 1 remote 2001:db8:1::1 port 4500
check "of IPv6, too" set_link dev w1
travels "by it" 'ip6 src 2001:db8:1::1 and udp dst port 4500' w1
must at west ip route add 2001:db8:1::2/128 dev w0
travels "by it, though another route is better" 'ip6 src 2001:db8:1::1 and udp dst port 4500' w1
must at west ip route del 2001:db8:1::2/128 dev w0
must at west esptun peer set dev vpn0 id 1 local 2001:db8:1::1
lose_dev
capture west w1 gone.pcap 'udp port 4500'
capture=$started
check "of one that goes, nothing arrives" in_quiet west sh -c '! ping -n -c 2 -i 0.2 -W 1 10.9.0.2'
capture_end "$capture"
is "and nothing leaves another way" "$(seen gone.pcap 'src 2001:db8:1::1')" 0
must at west esptun peer set dev vpn0 id 1 remote 192.0.2.2 port 4500
must at east esptun peer set dev vpn0 id 1 remote 192.0.2.1 port 4500

# The rights of esptund, and what others have.
netadmin() {
	ip netns exec west setpriv --bounding-set -net_raw ip link set vpn0 type esptun "$@"
}
squat() {
	start west /run/squat.log "$PYTHON" -c '
import socket, sys, time
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, sys.argv[1].encode())
s.bind(("", 4500))
print("ready", flush=True)
time.sleep(600)' "$1"
	must wait_for 10 holds /run/squat.log ready
}
must set_link dev w0
check "CAP_NET_ADMIN alone chooses another dev" netadmin dev w1
is "it is that" "$(data vpn0 dev)" w1
check "and back" netadmin dev w0
travels "by it again" 'udp port 4500'
refuse "but takes none away" 'needs CAP_NET_RAW' netadmin dev any fwmark 0x77
is "which changed nothing" "$(data vpn0 dev) $(data vpn0 fwmark)" 'w0 null'
check "with another port it does" netadmin dev any port 4600
check "and chooses one" netadmin dev w0
must set_link port 4500
squat w1
refuse "a dev where another program has the port" '4500.*taken' set_link dev w1
stop "$started"
travels "it stays" 'udp port 4500'

# ---- outer packets in a VRF -----------------------------------------------------------

must at west ip link add red type vrf table 10
must at west ip link set red up
must at west ip link set w2 master red
must ip -n west addr add 2001:db8:2::1/64 dev w2 nodad
must ip -n east addr add 2001:db8:2::2/64 dev e2 nodad
must at west ip link add vpn1 type esptun dev red
for ns in west:1 east:2; do
	[ $ns = west:1 ] || must at east ip link add vpn1 type esptun
	must at ${ns%:*} ip addr add 10.8.0.${ns#*:}/24 dev vpn1
	must at ${ns%:*} ip link set vpn1 up
	must at ${ns%:*} esptun peer add dev vpn1 id 1 remote 203.0.113.$((3 - ${ns#*:})) port 4500
done
for end in 'west in 0x3001 5' 'west out 0x3002 6' 'east in 0x3002 6' 'east out 0x3001 5'; do
	# shellcheck disable=SC2086 # words
	set -- $end
	must at $1 esptun sa add dev vpn1 dir $2 spi $3 peer 1 algo aes-gcm-128 key "$(key aes-gcm-128 $4)"
done
travels "in a VRF" 'src 203.0.113.1 and udp dst port 4500' w2 west 10.8.0.2
check "TCP, super-packets too" iperf west east 10.8.0.2 --bidir
check "beside one of the same port in none" pings west 10.9.0.2
must at west esptun peer set dev vpn1 id 1 remote 2001:db8:2::2 port 4500
must at east esptun peer set dev vpn1 id 1 remote 2001:db8:2::1 port 4500
travels "IPv6" 'ip6 src 2001:db8:2::1 and udp dst port 4500' w2 west 10.8.0.2
must at west esptun peer set dev vpn1 id 1 remote 203.0.113.2 port 4500 encap esp
must at east esptun peer set dev vpn1 id 1 remote 203.0.113.1 port 4500 encap esp
travels "plain ESP" 'esp and src 203.0.113.1' w2 west 10.8.0.2
must at west esptun peer set dev vpn1 id 1 encap udp
must at east esptun peer set dev vpn1 id 1 encap udp
must at west ip link set w2 nomaster
check "out of the VRF, by way of another port" at west ip link set vpn1 type esptun port 4501 dev any
must set_link dev any
must at west ip link set vpn1 type esptun port 4500
travels "in none" 'src 203.0.113.1 and udp dst port 4500' w2 west 10.8.0.2

# ---- inner packets in a VRF -----------------------------------------------------------

must at west ip link add blue type vrf table 20
must at west ip link set blue up
check "the link itself in a VRF" at west ip link set vpn0 master blue
must at west ip route add table 20 default dev vpn0
# The default route of the VRF is not that of the outer packets, or they would go round.
capture west w0 blue.pcap udp
capture=$started
check "ping from inside" at west ping -n -c 3 -i 0.2 -W 20 -I blue 10.9.0.2
check "ping from the other end" pings east 10.9.0.1
capture_end "$capture"
check "the outer packets are of no VRF" [ "$(seen blue.pcap 'src 192.0.2.1')" -ge 6 ]
in_quiet west sysctl -qw net.ipv4.tcp_l3mdev_accept=1
check "TCP to it" iperf east west 10.9.0.1
is "no packet went round" "$(counter west tx-loop)" 0
check "and out of it" at west ip link set vpn0 nomaster
travels "as made" 'src 192.0.2.1'

# ---- in another namespace -----------------------------------------------------------

must at west ip link del vpn1
must set_link dev w0
add_ns inner
must ip -n inner netns set west 5
refuse "a link of another namespace with a dev of this one" 'dev: not together with link-netns' \
	at inner ip link add two link-netnsid 5 type esptun port 4700 dev lo
check "without a dev" at inner ip link add two link-netnsid 5 type esptun port 4700
must at inner ip link del two
must at west ip link set vpn0 netns inner
must at inner ip addr add 10.9.0.1/24 dev vpn0
must at inner ip link set vpn0 up
said=$(at inner ip -d link show vpn0 | tr '\n' ' ')
unlike "elsewhere another device is not named as its dev" "$said" ' dev '
refuse "nor chosen" 'dev: can be chosen only while' at inner ip link set vpn0 type esptun dev lo
travels "moved away from its socket" 'udp src port 4500' w0 inner
check "port and mark change from there" at inner ip link set vpn0 type esptun port 4600 fwmark 0x23 dev any
check "the socket stays where the link was made" open_port west 4600
check "none is where it is" closed_port inner 4600
travels "by the mark's route there" 'src 192.0.2.1 and udp src port 4600' w1 inner
finish
