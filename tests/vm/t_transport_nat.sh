#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# vm-tier: full
# vm-timeout: 600
#
# Transport mode through a NAT: checksums of TCP, UDP and ICMPv6 are repaired at both ends, over
# both families, with esptun and with the kernel's own IPsec behind the NAT; and two clients
# behind one NAT, of which each has its own source port.
#
#   lana ---- gwa ---- nat ~~~~~~ gwb
#   10.1.0.2  192.168.1.2         198.51.100.2
#                      198.51.100.1
#   (gwa fd00:1::2, nat 2001:db8::1, gwb 2001:db8::2)

# shellcheck source=tests/vm/lib.sh
. "$VM_TOP/tests/vm/lib.sh"

ALG=aes-gcm-256
FAR=198.51.100.2 NEAR=198.51.100.1 INSIDE=192.168.1.2
FAR6=2001:db8::2 NEAR6=2001:db8::1 INSIDE6=fd00:1::2

# pair NS PEER SPI_IN KEY_IN SPI_OUT KEY_OUT [NAT_OA_LOCAL NAT_OA_REMOTE] [-- OPTION...]
pair() {
	local ns=$1 peer=$2 spi_in=$3 key_in=$4 spi_out=$5 key_out=$6 oa=()
	shift 6
	[ "${1:---}" = -- ] || { oa=(nat-oa-local "$1" nat-oa-remote "$2") && shift 2; }
	[ "${1:-}" != -- ] || shift
	must at "$ns" esptun sa add dev vpn0 dir in spi "$spi_in" peer "$peer" mode transport \
		algo $ALG key "$(key $ALG "$key_in")" "${oa[@]}" "$@"
	must at "$ns" esptun sa add dev vpn0 dir out spi "$spi_out" peer "$peer" mode transport \
		algo $ALG key "$(key $ALG "$key_out")" "$@"
}
# sas [NAT_OA...]: gwa's inbound SA has the first two, gwb's the last two; or empty words
sas() {
	must at gwa esptun sa flush dev vpn0
	must at gwb esptun sa flush dev vpn0
	pair gwa 1 $SPI_WEST 0x50 $SPI_EAST 0xa0 ${1:+"$1" "$2"}
	pair gwb 1 $SPI_EAST 0xa0 $SPI_WEST 0x50 ${3:+"$3" "$4"}
}
crosses() { # NAME ADDRESS
	check "$1: TCP, super-packets and single ones" iperf gwa gwb "$2" --bidir
	check "$1: TCP, short" echoes gwa tcp "$2"
	check "$1: UDP" echoes gwa udp "$2"
	is "$1: nothing received was dropped" "$(dropped_on_receipt gwa)$(dropped_on_receipt gwb)" ''
}

two_sites
must ip -n nat route add 10.1.0.0/24 via $INSIDE
must ip -n gwa addr add $INSIDE6/64 dev wan0 nodad
must ip -n nat addr add fd00:1::1/64 dev in0 nodad
must ip -n nat addr add $NEAR6/64 dev out0 nodad
must ip -n gwb addr add $FAR6/64 dev wan0 nodad
must ip -n gwa route add default via fd00:1::1
must at nat nft add table ip6 nat
must at nat nft add chain ip6 nat post '{ type nat hook postrouting priority 100; }'
must at nat nft add rule ip6 nat post oifname out0 masquerade
for ns in lana gwa gwb; do
	in_quiet $ns sysctl -qw net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.default.rp_filter=0
done
load_esptun
for ns in lana gwa gwb; do
	must at $ns ip link add vpn0 type esptun
	must at $ns ip link set vpn0 up
done
must at gwa esptun peer add dev vpn0 id 1 remote $FAR keepalive 5
must at gwb esptun peer add dev vpn0 id 1 keepalive 0
into_vpn gwa $FAR $INSIDE tcp udp
# ESP itself is UDP: what goes from port 4500 stays outside.
must at gwa ip rule add pref 100 ipproto udp sport 4500 lookup main
into_vpn gwb $NEAR $FAR tcp udp
must at gwb ip rule add pref 100 ipproto udp sport 4500 lookup main
echo_server gwb $FAR
echo=$started

# ---- without the addresses -------------------------------------------------------------------

errors() { in_quiet gwb nstat -asz "$1" | awk -v n="$1" '$1 == n { print $2 }'; }

sas $NEAR $FAR
refuse "the east knows no addresses from before the NAT: no TCP" 'timed out' echoes gwa tcp $FAR
check "as checksums are wrong" test "$(errors TcpInCsumErrors)" -gt 0
check "UDP without a checksum arrives" echoes gwa udp-zero $FAR
sas $NEAR $FAR $NEAR $INSIDE
refuse "it knows others: no TCP, either" 'timed out' echoes gwa tcp $FAR
sas '' '' $FAR $INSIDE
refuse "the west knows none: no TCP" 'timed out' echoes gwa tcp $FAR

# ---- with them -------------------------------------------------------------------------------

sas $NEAR $FAR $FAR $INSIDE
like "they are shown" "$(at gwb esptun sa show)" "mode transport nat-oa-local $FAR nat-oa-remote $INSIDE"
is "and in JSON" "$(in_quiet gwb esptun -j sa show |
	jq -r '.[] | select(.dir == "in") | .nat_oa_local + " " + .nat_oa_remote')" "$FAR $INSIDE"
crosses "IPv4" $FAR
capture gwb vpn0 zero.pcap udp
capture_pid=$started
check "UDP without a checksum" echoes gwa udp-zero $FAR
capture_end "$capture_pid"
is "arrives without" "$(tshark -n -r "$VM_OUT/zero.pcap" -Y 'udp.dstport == 7000' -T fields -e udp.checksum |
	sort -u)" 0x0000

# ---- the kernel's own IPsec behind the NAT -----------------------------------------------------

stop "$echo"
must at gwa ip link set vpn0 down
must at gwa ip rule del to $FAR ipproto tcp lookup 100
must at gwa ip rule del to $FAR ipproto udp lookup 100
must at gwa ip link del vpn0
encap_socket gwa $INSIDE
socket=$started
must at gwa ip xfrm state add src $INSIDE dst $FAR proto esp spi $SPI_EAST mode transport \
	encap espinudp 4500 4500 0.0.0.0 aead "${kernel_name[$ALG]}" "$(key $ALG 0xa0)" 128
must at gwa ip xfrm state add src $FAR dst $INSIDE proto esp spi $SPI_WEST mode transport \
	replay-window 128 encap espinudp 4500 4500 0.0.0.0 aead "${kernel_name[$ALG]}" "$(key $ALG 0x50)" 128
# ESP itself is UDP, and must not want ESP around it.
for words in tcp: "udp:port 7000"; do
	port=${words#*:}
	# shellcheck disable=SC2086 # words
	{
		must at gwa ip xfrm policy add src $INSIDE dst $FAR proto "${words%%:*}" ${port:+d$port} \
			dir out tmpl proto esp mode transport
		must at gwa ip xfrm policy add src $FAR dst $INSIDE proto "${words%%:*}" ${port:+s$port} \
			dir in tmpl proto esp mode transport
	}
done
must at gwb esptun sa flush dev vpn0
pair gwb 1 $SPI_EAST 0xa0 $SPI_WEST 0x50 $FAR $INSIDE
echo_server gwb $FAR
echo=$started
check "xfrm behind the NAT: TCP" iperf gwa gwb $FAR --bidir
check "xfrm behind the NAT: TCP, short" echoes gwa tcp $FAR
check "xfrm behind the NAT: UDP" echoes gwa udp $FAR
stop "$socket"
must at gwa ip xfrm policy flush
must at gwa ip xfrm state flush

# ---- two clients behind one NAT -------------------------------------------------------------------

must at gwa ip link add vpn0 type esptun
must at gwa ip link set vpn0 up
must at gwa esptun peer add dev vpn0 id 1 remote $FAR keepalive 5
into_vpn gwa $FAR $INSIDE tcp udp
must at lana esptun peer add dev vpn0 id 1 remote $FAR keepalive 5
into_vpn lana $FAR 10.1.0.2 tcp udp
must at lana ip rule add pref 100 ipproto udp sport 4500 lookup main
must at gwb esptun sa flush dev vpn0
must at gwb esptun peer add dev vpn0 id 2 keepalive 0
ports() { # SIDE ADDRESS PORT: selectors of what has that port at that end
	echo "$1-ts $2/32:tcp:$3 $1-ts $2/32:udp:$3"
}
# shellcheck disable=SC2046 # words
{
	pair gwa 1 $SPI_WEST 0x50 $SPI_EAST 0xa0 $NEAR $FAR -- $(ports local $INSIDE 40001)
	pair lana 1 0x2002 0x60 0x3002 0xb0 $NEAR $FAR -- $(ports local 10.1.0.2 40002)
	pair gwb 1 $SPI_EAST 0xa0 $SPI_WEST 0x50 $FAR $INSIDE -- $(ports remote $NEAR 40001)
	pair gwb 2 0x3002 0xb0 0x2002 0x60 $FAR 10.1.0.2 -- $(ports remote $NEAR 40002)
}
for kind in udp tcp; do
	check "two clients: $kind of the first" echoes gwa $kind $FAR 40001
	check "two clients: $kind of the second" echoes lana $kind $FAR 40002
	check "two clients: $kind of the first again" echoes gwa $kind $FAR 40001
done
is "both have the NAT's address" "$(in_quiet gwb esptun -j peer show | jq -r '[.[].remote] | unique | .[]')" $NEAR
is "two clients: nothing received was dropped" \
	"$(dropped_on_receipt gwa)$(dropped_on_receipt lana)$(dropped_on_receipt gwb)" ''
# The second client's SA would take the first one's port, if the other end let it.
must at lana esptun sa flush dev vpn0
pair lana 1 0x2002 0x60 0x3002 0xc0 $NEAR $FAR
must at gwb esptun sa del dev vpn0 dir in spi 0x3002
must at gwb esptun sa add dev vpn0 dir in spi 0x3002 peer 2 mode transport algo $ALG key "$(key $ALG 0xc0)" \
	nat-oa-local $FAR nat-oa-remote 10.1.0.2 remote-ts $NEAR/32:udp:40002
before=$(counter gwb rx-ts)
refuse "a client with the other one's port gets nothing" '0 of 6' echoes lana udp $FAR 40001
check "and is counted" test "$(counter gwb rx-ts)" -gt "$before"
stop "$echo"

# ---- IPv6 ------------------------------------------------------------------------------------------

for ns in gwa gwb; do must at $ns esptun sa flush dev vpn0; done
must at gwa esptun peer set dev vpn0 id 1 remote $FAR6
refuse "IPv6: addresses of another family than the peer's" "not of the family of the peer's" \
	at gwb esptun sa add dev vpn0 dir in spi $SPI_EAST peer 1 mode transport algo $ALG \
	key "$(key $ALG 0xa0)" nat-oa-local $FAR6 nat-oa-remote $INSIDE6
must at gwb esptun peer set dev vpn0 id 1 remote 0.0.0.0
for words in "gwa $FAR6 $INSIDE6" "gwb $NEAR6 $FAR6"; do
	# shellcheck disable=SC2086 # words
	into_vpn $words tcp udp ipv6-icmp
	must at "${words%% *}" ip -6 rule add pref 100 ipproto udp sport 4500 lookup main
done
sas $NEAR6 $FAR6 $FAR6 $INSIDE6
echo_server gwb $FAR6
echo=$started
check "IPv6: ICMPv6, whose checksum covers addresses" wait_for 10 pings gwa $FAR6
check "IPv6: ICMPv6 to the NAT's address" pings gwb $NEAR6
check "IPv6: TCP" iperf gwa gwb $FAR6 --bidir
check "IPv6: TCP, short" echoes gwa tcp $FAR6
check "IPv6: UDP" echoes gwa udp $FAR6
stop "$echo"
for ns in lana gwa gwb; do must at $ns ip link del vpn0; done
check "rmmod" timeout -k 1 60 rmmod esptun
finish
