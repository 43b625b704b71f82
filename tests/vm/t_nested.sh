#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# vm-tier: full
# vm-timeout: 1500
#
# Tunnels in tunnels: VXLAN, Geneve, GRE, IPIP, another esptun and WireGuard inside; VXLAN,
# Geneve, GRE, IPIP, a VLAN, macvlan, a bridge and WireGuard outside. TCP, UDP and pings of
# full size pass in both directions, and the rate is no small fraction of the plain tunnel's.

. "$VM_TOP/tests/vm/lib.sh"

# rate NS_CLIENT NS_SERVER ADDRESS: Mbit/s received.
rate() {
	iperf "$@" > /run/rate.log 2>&1 || return 1
	jq -r '.end.sum_received.bits_per_second / 1e6 | floor' /run/iperf.json
}

# all NAME NETWORK: what has to work between NETWORK.1 and NETWORK.2. The slowest way
# encrypts twice, which the emulated CPU is slow at: an eighth of the plain tunnel's rate. TCP whose full segments
# are lost has far less than the 25th that is asked for.
all() {
	local there back
	check "$1: pings" pings west "$2.2"
	check "$1: pings of full size" pings west "$2.2" -M dont -s 1372
	there=$(rate west east "$2.2")
	back=$(rate east west "$2.1")
	echo "# $1: $there and $back Mbit/s, plain $plain"
	[ "${there:-0}" -ge $((plain / 25)) ] && [ "${back:-0}" -ge $((plain / 25)) ]
	result $? "$1: TCP both ways, and not only by what is sent again"
	check "$1: UDP" iperf west east "$2.2" -u -b 5M -l 1300
}

for module in vxlan geneve ip_gre ipip ip6_tunnel wireguard 8021q bridge macvlan; do
	modprobe $module || bail "no module $module"
done
load_esptun
two_hosts
static_west aes-gcm-128 on
static_east aes-gcm-128 on
plain=$(rate west east 10.9.0.2) || bail "the tunnel carries nothing"

# ---- inside ------------------------------------------------------------------------

# up_pair DEV NETWORK: addresses at both ends.
up_pair() {
	must ip -n west addr add "$2.1/24" dev "$1"
	must ip -n east addr add "$2.2/24" dev "$1"
	must ip -n west link set "$1" up
	must ip -n east link set "$1" up
}
del_pair() {
	must ip -n west link del "$1"
	must ip -n east link del "$1"
}

# inside NAME WEST EAST OPTIONS: an end has its own address for LOCAL, the other's for REMOTE.
inside() {
	local west=${4//LOCAL/$2} east=${4//LOCAL/$3}
	# shellcheck disable=SC2086 # words
	must at west ip link add in0 type ${west//REMOTE/$3}
	# shellcheck disable=SC2086
	must at east ip link add in0 type ${east//REMOTE/$2}
	up_pair in0 10.50.1
	all "inside: $1" 10.50.1
	del_pair in0
}
# Without "dev" VXLAN does not know the MTU below it, and over IPv6 nobody fragments for it.
four="10.9.0.1 10.9.0.2" six="fd00:9::1 fd00:9::2"
while IFS='|' read -r name ends options; do
	# shellcheck disable=SC2086 # words
	inside "$name" $ends "$options"
done <<END
VXLAN|$four|vxlan id 5 local LOCAL remote REMOTE dstport 4789
VXLAN with checksum|$four|vxlan id 5 local LOCAL remote REMOTE dstport 4789 udpcsum
VXLAN over IPv6|$six|vxlan id 5 local LOCAL remote REMOTE dstport 4789 dev vpn0
Geneve|$four|geneve id 5 remote REMOTE
GRE|$four|gre local LOCAL remote REMOTE
GRE with key, checksum and numbers|$four|gre local LOCAL remote REMOTE key 7 csum seq
GRETAP|$four|gretap local LOCAL remote REMOTE
IPIP|$four|ipip local LOCAL remote REMOTE
IPv6 tunnel|$six|ip6tnl mode any local LOCAL remote REMOTE
END

must at west ip link add in0 type esptun local 10.9.0.1 port 4501
must at east ip link add in0 type esptun local 10.9.0.2 port 4501
up_pair in0 10.50.2
inner_sas() { # NS REMOTE SPI_IN KEY_IN SPI_OUT KEY_OUT
	must at "$1" esptun peer add dev in0 id 1 remote "$2" port 4501
	must at "$1" esptun sa add dev in0 dir in spi "$3" peer 1 \
		algo aes-gcm-128 key "$(key aes-gcm-128 "$4")" esn on
	must at "$1" esptun sa add dev in0 dir out spi "$5" peer 1 \
		algo aes-gcm-128 key "$(key aes-gcm-128 "$6")" esn on
}
inner_sas west 10.9.0.2 0x4001 0x11 0x5001 0x22
inner_sas east 10.9.0.1 0x5001 0x22 0x4001 0x11
all "inside: esptun" 10.50.2
del_pair in0

# wireguard_pair DEV WEST EAST: WireGuard between two addresses.
wireguard_pair() {
	must at west ip link add "$1" type wireguard
	must at east ip link add "$1" type wireguard
	(umask 077; wg genkey > /run/wg-west; wg genkey > /run/wg-east)
	must at west wg set "$1" listen-port 51820 private-key /run/wg-west \
		peer "$(wg pubkey < /run/wg-east)" allowed-ips 0.0.0.0/0 endpoint "$3:51820"
	must at east wg set "$1" listen-port 51820 private-key /run/wg-east \
		peer "$(wg pubkey < /run/wg-west)" allowed-ips 0.0.0.0/0 endpoint "$2:51820"
}
wireguard_pair in0 10.9.0.1 10.9.0.2
# It does not follow the MTU of the netdevice below by itself.
must ip -n west link set in0 mtu 1340
must ip -n east link set in0 mtu 1340
up_pair in0 10.50.3
all "inside: WireGuard" 10.50.3
del_pair in0

# ---- outside -----------------------------------------------------------------------

# outside NAME: under0 at both ends carries the tunnel.
outside() {
	up_pair under0 172.31.0
	must at west ip link set vpn0 type esptun local 172.31.0.1
	must at east ip link set vpn0 type esptun local 172.31.0.2
	must at west esptun peer set dev vpn0 id 1 remote 172.31.0.2
	must at east esptun peer set dev vpn0 id 1 remote 172.31.0.1
	all "outside: $1" 10.9.0
	del_pair under0
}
while IFS='|' read -r name west east; do
	# shellcheck disable=SC2086 # words
	must at west ip link add under0 $west
	# shellcheck disable=SC2086
	must at east ip link add under0 $east
	outside "$name"
done <<END
VXLAN|type vxlan id 6 local 192.0.2.1 remote 192.0.2.2 dstport 4789|type vxlan id 6 local 192.0.2.2 remote 192.0.2.1 dstport 4789
Geneve|type geneve id 6 remote 192.0.2.2|type geneve id 6 remote 192.0.2.1
GRE|type gre local 192.0.2.1 remote 192.0.2.2|type gre local 192.0.2.2 remote 192.0.2.1
IPIP|type ipip local 192.0.2.1 remote 192.0.2.2|type ipip local 192.0.2.2 remote 192.0.2.1
VLAN|link w0 type vlan id 9|link e0 type vlan id 9
macvlan|link w0 type macvlan mode private|link e0 type macvlan mode private
END
wireguard_pair under0 192.0.2.1 192.0.2.2
outside WireGuard
must at west ip link add under0 type bridge
must at east ip link add under0 type bridge
must ip -n west link set w0 master under0
must ip -n east link set e0 master under0
outside bridge
finish
