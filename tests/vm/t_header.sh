#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# vm-tier: full
# vm-timeout: 300
#
# The outer header, as tshark reads it: DSCP, ECN, TTL and DF, taken from the inner one or set,
# for a link and for one of its peers, IPv4 and IPv6 outside and inside; flow labels, UDP over IPv6
# without checksums; what is refused.

# shellcheck source=tests/vm/lib.sh
. "$VM_TOP/tests/vm/lib.sh"

two_hosts
must ip -n west addr add 2001:db8::1/64 dev w0 nodad
must ip -n east addr add 2001:db8::2/64 dev e0 nodad
load_esptun
esptun_up west 10.9.0.1/24 fd00:9::1/64
esptun_up east 10.9.0.2/24 fd00:9::2/64
must at west esptun peer add dev vpn0 id 1 remote 192.0.2.2 keepalive 0
must at east esptun peer add dev vpn0 id 1 remote 192.0.2.1 keepalive 0
esptun_sas west 1 aes-gcm-256 off $SPI_WEST 0x50 $SPI_EAST 0xa0
esptun_sas east 1 aes-gcm-256 off $SPI_EAST 0xa0 $SPI_WEST 0x50
for end in west:w0 east:e0; do
	single_packets ${end%:*} ${end#*:}
done
# Packets that do not fit the path get as far as the link.
must ip -n west link set vpn0 mtu 1600

# ---- what is shown and refused ---------------------------------------------------------

like "a link begins with what is inside" "$(ip -n west -d link show vpn0)" \
	'tos inherit ttl auto df inherit flowlabel sa'
must at west ip link set vpn0 type esptun ttl inherit df set
like "ip shows what was set" "$(ip -n west -d link show vpn0)" 'ttl inherit df set'
is "in JSON, too" "$(ip -n west -d -j link show vpn0 | jq -r '.[0].linkinfo.info_data | "\(.ttl) \(.df)"')" \
	'inherit set'
must at west ip link set vpn0 type esptun ttl 9
like "a TTL takes the place of the inner one" "$(ip -n west -d link show vpn0)" 'ttl 9 df set'
must at west ip link set vpn0 type esptun ttl inherit
must at west ip link set vpn0 type esptun ttl auto df inherit
like "and so does the system's" "$(ip -n west -d link show vpn0)" 'ttl auto df inherit'
must at west ip link set vpn0 type esptun flowlabel inner
like "a flow label for each inner flow" "$(ip -n west -d link show vpn0)" 'flowlabel inner'
must at west ip link set vpn0 type esptun flowlabel sa
refuse "ip: another flow label" 'flowlabel must be sa or inner' \
	at west ip link set vpn0 type esptun flowlabel 7
refuse "ip: another DF" 'df must be inherit, set or unset' at west ip link set vpn0 type esptun df on
unlike "a peer begins with the link's" "$(at west esptun peer show)" ' tos | ttl | df | flowlabel | udp6'
must at west esptun peer set dev vpn0 id 1 tos 0x28 ttl inherit df unset flowlabel inner \
	udp6zerocsumtx on udp6zerocsumrx on
like "a peer's own are shown" "$(at west esptun peer show)" \
	'tos 0x28 ttl inherit df unset flowlabel inner udp6zerocsumtx on udp6zerocsumrx on'
is "in JSON, too" "$(at west esptun -j peer show | jq -r '.[0] | "\(.tos) \(.ttl) \(.df)"')" \
	'0x28 inherit unset'
must at west esptun peer set dev vpn0 id 1 tos link ttl link df link flowlabel link \
	udp6zerocsumtx off udp6zerocsumrx off
unlike "and given back" "$(at west esptun peer show)" ' tos | ttl | df | flowlabel | udp6'
refuse "a peer's TOS of 256" '255' at west esptun peer set dev vpn0 id 1 tos 256
refuse "a peer's DF of another word" 'inherit, set, unset or link' \
	at west esptun peer set dev vpn0 id 1 df on

# ---- on the wire -----------------------------------------------------------------------

mkdir -p /root/.config/wireshark
for family in IPv4 IPv6; do
	printf '"%s","*","*","%s","AES-GCM with 16 octet ICV [RFC4106]","%s","NULL",""\n' $family \
		"$(printf 0x%08x $SPI_EAST)" "$(key aes-gcm-256 0xa0)"
done > /root/.config/wireshark/esp_sa
check "it works" pings west 10.9.0.2
capture west w0 header.pcap
check "a packet of each case is sent" in_quiet west "$PYTHON" "$VM_LIB/header_cases.py" send
capture_end "$started"
include outer "$PYTHON" "$VM_LIB/header_cases.py" judge "$VM_OUT/header.pcap"
finish
