#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# vm-tier: full
# vm-timeout: 600
#
# Transport mode behind a NAT with strongSwan: TCP, whose checksums cover addresses, of two
# strongSwans behind one NAT to esptund, each from a port of its own; a third one that asks for a
# port in use; and esptund behind the NAT of a strongSwan.
#
#   c1, c2, c3: strongSwan, 192.0.N.2 ---- 192.0.N.1 nat 198.51.100.1 ~~~ 198.51.100.2 hub: esptund
#   c4: esptund                                                           192.0.9.1 ---- 192.0.9.2
#                                                                                 c9: strongSwan

. "$VM_TOP/tests/vm/lib.sh"
. "$VM_TOP/tests/vm/agent.sh"
. "$VM_TOP/tests/interop/hub.sh"

# shellcheck disable=SC2034 # of hub.sh
key=([1]=$AGENT_PSK [2]=$AGENT_PSK [3]=$AGENT_PSK [9]=$AGENT_PSK)

# tcp_from N PORT: client N is to have transport mode, for TCP from that port to the hub's 7000.
tcp_from() {
	client_conf "$1" remote=198.51.100.2 mode=transport local_ts="dynamic[tcp/$2]" remote_ts='dynamic[tcp/7000]'
}
esp_passed() { # NS: packets that its SAs received
	in_quiet "$1" esptun -j peer show | jq '[.[].rx_packets] | add'
}

load_esptun
add_ns hub nat c4
wire nat out0 198.51.100.1/24 hub w0 198.51.100.2/24
wire nat w4 192.0.4.1/24 c4 e0 192.0.4.2/24
must ip -n c4 route add default via 192.0.4.1
must at nat nft add table ip nat
must at nat nft add chain ip nat post '{ type nat hook postrouting priority 100; }'
must at nat nft add rule ip nat post oifname out0 masquerade
for n in 1 2 3; do
	client $n nat
	must ip -n c$n route add default via 192.0.$n.1
done
client 9
must ip -n c9 route add default via 192.0.9.1
must ip -n nat route add 192.0.9.0/24 via 198.51.100.2
for ns in nat hub c4; do
	in_quiet $ns sysctl -qw net.ipv4.ip_forward=1 net.ipv4.conf.all.rp_filter=0 \
		net.ipv4.conf.default.rp_filter=0
done
for n in 1 2 3; do
	charon_up $n
	tcp_from $n 4000$n
done

# ---- two clients behind one NAT --------------------------------------------------------------

conf hub vpn0 <<END
[Tunnel]
LocalID = hub.example
[Peer]
RemoteID = *.example
PSK = $AGENT_PSK
Clients = 8
Mode = transport
Selectors = any:tcp:7000 = any:tcp
END
agent hub
for n in 1 2; do
	check "c$n comes" begin $n || tail -n 20 "$VM_OUT/charon-c$n.log"
done
is "each from its own port" "$(clients '.children[0].remote_ts[0]')" \
	"198.51.100.1/32:tcp:40001 198.51.100.1/32:tcp:40002"
is "the kernel knows the addresses behind the NAT" "$(in_quiet hub esptun -j sa show |
	jq -r '[.[] | select(.dir == "in") | "\(.nat_oa_remote) \(.nat_oa_local)"] | sort | join(", ")')" \
	"192.0.1.2 198.51.100.2, 192.0.2.2 198.51.100.2"
into_vpn hub 198.51.100.1 198.51.100.2 tcp
echo_server hub 198.51.100.2
for n in 1 2 1; do
	check "TCP of c$n" echoes c$n tcp 198.51.100.2 4000$n
done
check "went through the SAs" test "$(esp_passed hub)" -gt 600
before=$(clients '.children[0].spi_in')
check "c2 rekeys" quietly in_quiet c2 swanctl --rekey --child net
check "and has a new pair" wait_for 20 eval '[ "$(clients ".children[0].spi_in")" != "$before" ]'
check "TCP of c2 goes on" echoes c2 tcp 198.51.100.2 40002
is "nothing received was dropped" "$(dropped_on_receipt hub ike)" ''

tcp_from 3 40001
begin 3
like "c3 asks for the port of c1, and is refused" "$(cat /run/begin-3.log)" 'TS_UNACCEPTABLE'
like "and that is said" "$(tell hub status vpn0)" "client 'c1.example' has some of what 'c3.example' asks for.*one address"
check "c1 has its port as before" echoes c1 tcp 198.51.100.2 40001
tcp_from 3 40003
check "with a port of its own it comes" begin 3
check "TCP of c3" echoes c3 tcp 198.51.100.2 40003
check "esptund did not crash" agent_stop hub
must at hub ip rule del to 198.51.100.1 ipproto tcp lookup 100
must at hub ip link del vpn0

# ---- esptund behind the NAT ------------------------------------------------------------------

charon_up 9 remote= peer=c4 mode=transport local_ts='dynamic[tcp/7000]' remote_ts='dynamic[tcp]'
conf c4 vpn0 <<END
[Tunnel]
LocalID = c4.example
[Peer]
Endpoint = 192.0.9.2
RemoteID = c9.example
PSK = $AGENT_PSK
Mode = transport
Selectors = any:tcp = any:tcp:7000
END
agent c4
check "esptund behind the NAT: up" tell c4 up vpn0 timeout 60
is "in transport mode" "$(of c4 .child.mode)" transport
is "it knows what the other end sees" "$(in_quiet c4 esptun -j sa show |
	jq -r '.[] | select(.dir == "in") | "\(.nat_oa_local) \(.nat_oa_remote)"')" "198.51.100.1 192.0.9.2"
into_vpn c4 192.0.9.2 192.0.4.2 tcp
echo_server c9 192.0.9.2
check "TCP" echoes c4 tcp 192.0.9.2
check "went through the SAs" test "$(esp_passed c4)" -gt 200
# shellcheck disable=SC2034 # for eval
before=$(of c4 .child.spi_in)
check "strongSwan rekeys" quietly in_quiet c9 swanctl --rekey --child net
check "and there is a new pair" wait_for 20 eval '[ "$(of c4 .child.spi_in)" != "$before" ]'
check "TCP goes on" echoes c4 tcp 192.0.9.2
is "nothing received was dropped" "$(dropped_on_receipt c4 ike)" ''
check "esptund did not crash" agent_stop c4
finish
