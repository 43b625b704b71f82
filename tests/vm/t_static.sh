#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# vm-tier: full
# vm-timeout: 350
#
# esptun to esptun with static keys and no agent: what a user of the command
# line sees, and what tshark sees on the wire.

# shellcheck source=tests/vm/lib.sh
. "$VM_TOP/tests/vm/lib.sh"

operstate() {
	ip -n "$1" -j link show vpn0 | jq -r '.[0].operstate'
}

state_is() {
	[ "$(operstate "$1")" = "$2" ]
}

flags() {
	ip -n "$1" -j link show vpn0 | jq -r '.[0].flags | join(",")'
}

two_hosts
one_queue
load_esptun

# ---- no SA: dormant, ICMP at once ---------------------------------------------

esptun_up west 10.9.0.1/24 fd00:9::1/64 local 192.0.2.1
check "a link without SAs is dormant" wait_for 3 state_is west DORMANT
like "with carrier" "$(flags west)" 'LOWER_UP'
must at west esptun peer add dev vpn0 id 1 remote 192.0.2.2 port 4500
is "a link with a peer but no SAs is dormant" "$(operstate west)" DORMANT
# At once: what is held is answered after 5 s, when ping has gone.
like "IPv4: unreachable without an SA" "$(at west ping -n -c 1 -W 3 10.9.0.2 2>&1)" 'Unreachable'
like "IPv6: unreachable without an SA" "$(at west ping -n -c 1 -W 3 fd00:9::2 2>&1)" 'unreachable|Unreachable'
[ "$(counter west tx-no-sa)" -ge 2 ]
result $? "and is counted as tx-no-sa"

must at west esptun sa add dev vpn0 dir in spi $SPI_WEST peer 1 \
	algo aes-gcm-256 key "$(key aes-gcm-256 0x50)"
sleep 0.3
is "with only an inbound SA still dormant" "$(operstate west)" DORMANT
must at west esptun sa add dev vpn0 dir out spi $SPI_EAST peer 1 \
	algo aes-gcm-256 key "$(key aes-gcm-256 0xa0)"
check "with a pair it is up" wait_for 5 state_is west UP
unlike "and running" "$(flags west)" 'DORMANT'
must at west esptun sa del dev vpn0 dir out spi $SPI_EAST peer 1
check "without the outbound SA it is dormant again" wait_for 5 state_is west DORMANT
must at west esptun sa flush dev vpn0

# ---- traffic --------------------------------------------------------------------

# As it leaves either end: what arrives may have been joined by GRO.
capture west w0 west.pcap -Q out
west=$started
capture east e0 east.pcap -Q out
static_east aes-gcm-256 off
esptun_sas west 1 aes-gcm-256 off $SPI_WEST 0x50 $SPI_EAST 0xa0
check "IPv4 ping west to east" pings west 10.9.0.2
check "IPv4 ping east to west" pings east 10.9.0.1
check "IPv6 ping west to east" pings west fd00:9::2
check "IPv6 ping east to west" pings east fd00:9::1
check "large packets, fragmented inside" pings west 10.9.0.2 -s 4000 -M dont
check "large IPv6 packets" pings west fd00:9::2 -s 4000 -M dont
capture_end "$started"
capture_end "$west"
must mergecap -w "$VM_OUT/static.pcap" "$VM_OUT/west.pcap" "$VM_OUT/east.pcap"
check "TCP west to east" iperf west east 10.9.0.2
check "TCP east to west" iperf west east 10.9.0.2 -R
check "TCP over IPv6, both ways" iperf west east fd00:9::2 --bidir
check "UDP" iperf west east 10.9.0.2 -u -b 10M -l 1200
is "nothing was dropped on receipt in the east" \
	"$(dropped_on_receipt east)" ''

# ---- on the wire ----------------------------------------------------------------

tables() {
	mkdir -p /root/.config/wireshark
	local spi start
	{
		while read -r spi start; do
			printf '"IPv4","*","*","%s","AES-GCM with 16 octet ICV [RFC4106]","%s","NULL",""\n' \
				"$(printf 0x%08x "$spi")" "$(key aes-gcm-256 "$start")"
		done
	} > /root/.config/wireshark/esp_sa <<-END
	$SPI_WEST 0x50
	$SPI_EAST 0xa0
	END
}

shark() {
	tshark -n -r "$VM_OUT/static.pcap" -o esp.enable_encryption_decode:TRUE \
		-o esp.enable_authentication_check:TRUE "$@" 2> /dev/null
}

tables
is "only UDP port 4500 is on the wire" \
	"$(shark -Y 'ip && !(udp.srcport == 4500 && udp.dstport == 4500)' | wc -l)" 0
total=$(shark -Y 'esp' | wc -l)
good=$(shark -Y 'esp.icv_good == 1' | wc -l)
[ "$total" -ge 24 ] && [ "$total" = "$good" ]
result $? "tshark decrypts all $total ESP packets, ICV correct ($good)"
[ "$(shark -Y 'esp && icmp' | wc -l)" -ge 12 ] && [ "$(shark -Y 'esp && icmpv6.type == 128' | wc -l)" -ge 6 ]
result $? "and sees our pings inside"
is "no outer IPv4 identification or checksum is wrong" \
	"$(shark -o ip.check_checksum:TRUE -Y 'ip.checksum.status == 0' | wc -l)" 0
is "no outer UDP checksum is wrong (RFC 3948 2.1: zero is right)" \
	"$(shark -o udp.check_checksum:TRUE -Y 'udp.srcport == 4500 && udp.checksum.status == 0' | wc -l)" 0

# ---- path MTU -------------------------------------------------------------------

mtu=$(ip -n west -j link show vpn0 | jq '.[0].mtu')
# Outer IPv4 20, UDP 8, ESP 8, IV 8, ICV 16, padding and trailer 2 to 5.
[ "$mtu" -ge 1434 ] && [ "$mtu" -le 1438 ]
result $? "the MTU leaves room for the encapsulation, no more ($mtu of 1500)"
check "a packet of just the MTU, DF set, passes" pings west 10.9.0.2 -M do -s $((mtu - 28))
like "one octet more is refused by the link" \
	"$(at west ping -n -c 1 -W 5 -M do -s $((mtu - 27)) 10.9.0.2 2>&1)" 'too long|Frag needed'
must ip -n west link set w0 mtu 1300
must ip -n east link set e0 mtu 1300
like "smaller underlay: DF packet gets fragmentation needed" \
	"$(at west ping -n -c 2 -W 5 -M do -s $((mtu - 28)) 10.9.0.2 2>&1)" \
	'mtu ?= ?12[0-9][0-9]|Frag needed'
like "smaller underlay: IPv6 gets packet too big" \
	"$(at west ping -n -c 2 -W 5 -M do -s $((mtu - 48)) fd00:9::2 2>&1)" \
	'mtu[=:] ?1280'
check "TCP adapts" iperf west east 10.9.0.2
must ip -n west link set w0 mtu 1500
must ip -n east link set e0 mtu 1500

# ---- IP header fields -----------------------------------------------------------

must at west ip link set vpn0 type esptun tos inherit ttl 33
capture west w0 fields.pcap udp
check "ping with DSCP" pings west 10.9.0.2 -Q 0xb8
capture_end "$started"
said=$(tshark -n -r "$VM_OUT/fields.pcap" -Y 'ip.src == 192.0.2.1' -T fields -e ip.dsfield -e ip.ttl | sort -u)
like "inner DSCP and our TTL are on the outer header" "$said" '^(0xb8|184)[[:space:]]33$'

# ---- keepalives -----------------------------------------------------------------

keepalives() {
	tshark -n -r "$VM_OUT/$1" -Y 'ip.src == 192.0.2.1 && udp.length == 9' -T fields \
		-e frame.time_epoch -e udp.payload 2> /dev/null
}

must at west esptun peer set dev vpn0 id 1 keepalive 1
must at east esptun peer set dev vpn0 id 1 keepalive 0
capture west w0 idle.pcap udp
three_sent() {
	[ "$(keepalives idle.pcap | grep -c .)" -ge 3 ]
}
wait_for 20 three_sent
capture_end "$started"
said=$(keepalives idle.pcap)
count=$(grep -c . <<< "$said")
# By the capture's own clock: a busy machine sleeps longer than it was told.
gap=$(awk 'NR > 1 && (!min || $1 - was < min) { min = $1 - was } { was = $1 } END { print min + 0 }' <<< "$said")
[ "$count" -ge 3 ] && awk -v gap="$gap" 'BEGIN { exit !(gap > 0.9) }'
result $? "idle with keepalive 1: $count, at least $gap s apart"
is "each is the octet 0xff" "$(cut -f2 <<< "$said" | sort -u)" ff
is "keepalive 0 in the east: none" \
	"$(tshark -n -r "$VM_OUT/idle.pcap" -Y 'ip.src == 192.0.2.2' 2> /dev/null | wc -l)" 0
[ "$(counter east rx-keepalive)" -ge 3 ]
result $? "the east counts them and is not disturbed"
capture west w0 busy.pcap udp
must quietly at west ping -n -c 15 -i 0.3 -W 20 10.9.0.2
capture_end "$started"
# By the capture's own clock, too: ping may pause on a busy machine.
said=$(tshark -n -r "$VM_OUT/busy.pcap" -Y 'ip.src == 192.0.2.1 && udp' -T fields \
	-e frame.time_epoch -e udp.length 2> /dev/null)
early=$(awk '$2 == 9 && $1 - was < 0.9 { n++ } { was = $1 } END { print n + 0 }' <<< "$said")
[ "$(grep -c . <<< "$said")" -ge 15 ] && [ "$early" = 0 ]
result $? "none while traffic flows (less than 0.9 s after a packet: $early)"
must at west esptun peer set dev vpn0 id 1 keepalive 0
capture west w0 off.pcap udp
sleep 2.5
capture_end "$started"
is "none after keepalive 0" "$(keepalives off.pcap | grep -c .)" 0

# ---- what the user is shown -----------------------------------------------------

like "peer show" "$(at west esptun peer show dev vpn0)" '192\.0\.2\.2'
is "peer show as JSON" "$(at west esptun -j peer show dev vpn0 | jq -r '.[0].id')" 1
like "sa show" "$(at west esptun sa show dev vpn0)" 'aes-gcm-256|aes.gcm'
is "sa show as JSON lists both" "$(at west esptun -j sa show dev vpn0 | jq length)" 2
hex=$(key aes-gcm-256 0x50)
hex=${hex#0x}
for command in 'sa show' '-j sa show' '-s sa show' '-d sa show'; do
	# shellcheck disable=SC2086 # words
	unlike "keys are not shown by $command" "$(at west esptun $command dev vpn0 2>&1)" "${hex:0:16}"
done

finish
