#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# vm-tier: full
# vm-timeout: 300
#
# Two sites, the western one behind a NAT router, static keys. The eastern
# gateway does not know where its peer is until an authenticated packet comes.
#
#   lana ---- gwa ---- nat ~~~~~~ gwb ---- lanb
#   10.1.0.2           198.51.100.1   198.51.100.2   10.2.0.2

# shellcheck source=tests/vm/lib.sh
. "$VM_TOP/tests/vm/lib.sh"

remote() {
	ip netns exec gwb "$VM_LIB/nl" peer-get "{\"ifindex\":\"vpn0\",\"peer\":{\"id\":1}}" |
		jq -r '.peer | "\(.["remote-address"]):\(.["remote-port"])"'
}

remote_is() {
	[ "$(remote)" = "$1" ]
}

forged() {
	[ "$(counter gwb rx-auth)" = 1 ]
}

two_sites
load_esptun
esptun_up gwa 10.9.0.1/24 fd00:9::1/64
must at gwa esptun peer add dev vpn0 id 1 remote 198.51.100.2 port 4500 keepalive 1
esptun_sas gwa 1 aes-gcm-256 off $SPI_WEST 0x50 $SPI_EAST 0xa0
must at gwa ip route add 10.2.0.0/24 dev vpn0
esptun_up gwb 10.9.0.2/24 fd00:9::2/64 local 198.51.100.2
must at gwb esptun peer add dev vpn0 id 1 roam on keepalive 0
esptun_sas gwb 1 aes-gcm-256 off $SPI_EAST 0xa0 $SPI_WEST 0x50
must at gwb ip route add 10.1.0.0/24 dev vpn0

before=$(counter gwb tx-no-route)
at lanb ping -n -c 1 -W 1 10.1.0.2
after=$(counter gwb tx-no-route)
is "before its peer was heard from, the east cannot send, and counts that" $((after - before)) 1

capture nat out0 nat.pcap
capture_pid=$started
check "LAN to LAN from behind the NAT" pings lana 10.2.0.2
like "the east learned the NAT's address" "$(remote)" '^198\.51\.100\.1:[0-9]+$'
check "LAN to LAN to behind the NAT" pings lanb 10.1.0.2
check "TCP both ways" iperf lana lanb 10.2.0.2 --bidir
capture_end "$capture_pid"
is "nothing but UDP with port 4500 was outside" \
	"$(tshark -n -r "$VM_OUT/nat.pcap" -Y 'ip && !(udp.port == 4500)' 2> /dev/null | wc -l)" 0

# The router gets a new address from its provider: masquerading forgets its
# bindings, the next keepalive or packet makes a new one.
must at nat ip addr add 198.51.100.7/24 dev out0
must at nat ip addr del 198.51.100.1/24 dev out0
must wait_for 5 in_quiet nat ip addr replace 198.51.100.7/24 dev out0
check "LAN to LAN after the NAT's address changed" wait_for 20 pings lana 10.2.0.2
check "the east followed" wait_for 5 remote_is "$(remote | sed 's/.*:/198.51.100.7:/')"
check "and reaches the west" pings lanb 10.1.0.2

# A forged packet from elsewhere does not move it.
was=$(remote)
must in_quiet nat ip addr add 198.51.100.66/24 dev out0
printf '\0\0\060\001\0\0\377\0aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa' > /run/forged
in_quiet nat "$PYTHON" -c "
import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(('198.51.100.66', 4500))
s.sendto(open('/run/forged', 'rb').read(), ('198.51.100.2', 4500))"
check "the forgery arrived" wait_for 5 forged
is "and did not move the peer" "$(remote)" "$was"

finish
