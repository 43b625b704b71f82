#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# vm-tier: full
# vm-timeout: 500
#
# Traffic flow confidentiality (RFC 4303 2.6, 2.7): packets padded to a size and dummy packets at
# a rate, as tshark and the other end see them; that they use numbers and limits, and end with the SA.

# shellcheck source=tests/vm/lib.sh
. "$VM_TOP/tests/vm/lib.sh"

sa() { # VERB [OPTION...]: the outbound SA of the west
	local verb=$1
	shift
	at west esptun sa "$verb" dev vpn0 dir out spi $SPI_EAST peer 1 "$@"
}
of_sa() { # FILTER: of the outbound SA in JSON
	in_quiet west esptun -j -s sa show dev vpn0 dir out | jq -r ".[0] | $1"
}
shark() { # FILE [OPTION...]: what the west sent
	tshark -n -r "$VM_OUT/$1" -o esp.enable_encryption_decode:TRUE \
		-o esp.enable_authentication_check:TRUE -Y "esp.spi == $SPI_EAST" "${@:2}" 2> /dev/null
}
lengths() { # FILE: distinct lengths of UDP datagrams
	shark "$1" -T fields -e udp.length -E occurrence=f | sort -nu | xargs
}
dummies() { # FILE FIELD: of packets whose next header, their last decrypted octet, is 59
	shark "$1" -T fields -e esp.decrypted_data -e "$2" -E occurrence=f | sed -n 's/^[0-9a-f]*3b\t//p'
}
sent() { # LEAST, for wait_for: dummies
	[ "$(counter west tx-dummy)" -ge "$1" ]
}

two_peers
# Nobody inside says hello.
for ns in west east; do
	in_quiet $ns sysctl -qw net.ipv6.conf.vpn0.disable_ipv6=1
	single_packets $ns "${ns:0:1}0"
done
esptun_sas west 1 aes-gcm-256 off $SPI_WEST 0x50 $SPI_EAST 0xa0
esptun_sas east 1 aes-gcm-256 off $SPI_EAST 0xa0 $SPI_WEST 0x50
mkdir -p /root/.config/wireshark
printf '"IPv4","*","*","%s","AES-GCM with 16 octet ICV [RFC4106]","%s","NULL",""\n' \
	"$(printf 0x%08x $SPI_EAST)" "$(key aes-gcm-256 0xa0)" > /root/.config/wireshark/esp_sa

# ---- what is shown and refused ---------------------------------------------------------

unlike "an SA begins without" "$(at west esptun sa show)" 'tfc|dummy'
must sa set tfc 700 dummy 5
like "what was set is shown" "$(at west esptun sa show dir out)" 'tfc 700 dummy 5'
must sa set tfc mtu dummy 0
is "in JSON, too" "$(of_sa '"\(.tfc) \(.dummy)"')" 'mtu null'
refuse "padding of an inbound SA" 'outbound' \
	at west esptun sa set dev vpn0 dir in spi $SPI_WEST tfc 700
refuse "more than 1000 dummies a second" '1000' sa set dummy 1001
refuse "padding in transport mode" 'only in tunnel mode' \
	at west esptun sa add dev vpn0 dir out spi 0x5001 peer 1 mode transport tfc 700 \
	algo aes-gcm-256 key "$(key aes-gcm-256 0x11)"

# ---- padding ---------------------------------------------------------------------------

capture west w0 tfc.pcap
bytes=$(of_sa .bytes)
must sa set tfc 700
check "padded to 700 bytes: short packets" pings west 10.9.0.2 -s 20
is "the SA counts what its key was used for" $(($(of_sa .bytes) - bytes)) 2100
check "longer packets" pings west 10.9.0.2 -s 650
check "packets that are longer than that" pings west 10.9.0.2 -s 1000
capture_end "$started"
# UDP 8, ESP 8, IV 8, ICV 16; payload and trailer of 2 a multiple of 4.
is "on the wire: one length, and that of the longer ones" "$(lengths tfc.pcap)" '744 1072'
[ "$(shark tfc.pcap -Y "esp.spi == $SPI_EAST && esp.icv_good == 1 && icmp" | wc -l)" = 9 ]
result $? "tshark decrypts all and finds the pings inside"
capture west w0 mtu.pcap
capturing=$started
must sa set tfc mtu
check "padded to what fits: short packets" pings west 10.9.0.2 -s 20
check "the largest ones" pings west 10.9.0.2 -M do -s 1410
check "TCP both ways" iperf west east 10.9.0.2 --bidir
capture_end "$capturing"
is "on the wire: one length, the path's MTU" "$(lengths mtu.pcap)" 1480
is "nothing is a fragment" \
	"$(tshark -n -r "$VM_OUT/mtu.pcap" -Y 'ip.flags.mf == 1 || ip.frag_offset > 0' 2> /dev/null | wc -l)" 0
is "nothing else was dropped on receipt in the east" "$(dropped_on_receipt east dummy)" ''
must sa set tfc 0
capture west w0 plain.pcap
check "padding taken back" pings west 10.9.0.2 -s 20
capture_end "$started"
is "on the wire: as short as they are" "$(lengths plain.pcap)" 92

# ---- dummies ---------------------------------------------------------------------------

seq=$(of_sa .seq) packets=$(of_sa .packets) before=$(counter west tx-dummy)
link=$(ip -n west -s -j link show vpn0 | jq '.[0].stats64.tx.packets')
capture west w0 dummy.pcap
must sa set dummy 20
check "dummies are sent" wait_for 20 sent $((before + 40))
check "pings among them" pings west 10.9.0.2
must sa set dummy 0
sleep 0.5
capture_end "$started"
total=$(counter west tx-dummy) dummies=$(($(counter west tx-dummy) - before))
is "on the wire: as many, next header 59 (tshark)" \
	"$(dummies dummy.pcap esp.sequence | wc -l)" "$dummies"
is "the east drops and counts all" "$(counter east rx-dummy)" "$total"
read -r least most < <(dummies dummy.pcap udp.length | sort -n | sed -n '1p;$p' | xargs)
[ "$least" -lt "$most" ] && [ "$most" -le 1480 ]
result $? "of different lengths, none larger than the path ($least to $most)"
is "each has a sequence number" $(($(of_sa .seq) - seq)) $((dummies + 3))
is "and counts as a packet of the SA" $(($(of_sa .packets) - packets)) $((dummies + 3))
is "not of the link" $(($(ip -n west -s -j link show vpn0 | jq '.[0].stats64.tx.packets') - link)) 3
# The mean of 40 intervals from 0 to 100 ms is 50 ms, give or take 5.
read -r gap spread < <(dummies dummy.pcap frame.time_epoch |
	awk 'NR > 1 { gap = $1 - last; sum += gap; squares += gap * gap } { last = $1 }
		END { n = NR - 1; print sum / n, sqrt(squares / n - (sum / n) ^ 2) }')
awk -v gap="$gap" 'BEGIN { exit !(gap > 0.03) }'
result $? "not more than 20 a second (one each $gap s)"
awk -v spread="$spread" 'BEGIN { exit !(spread > 0.015) }'
result $? "at random intervals (deviation $spread s)"
sleep 1
is "taken back, there are no more" "$(counter west tx-dummy)" "$total"

capture west w0 both.pcap
must sa set tfc 900 dummy 100
check "padded dummies" wait_for 20 sent $((total + 50))
check "pings among them" pings west 10.9.0.2
must sa set dummy 0
capture_end "$started"
is "on the wire: all have one length" "$(lengths both.pcap)" 944
must sa set dummy 100

must ip -n west link set vpn0 down
sleep 0.5
total=$(counter west tx-dummy)
sleep 1
is "while the link is down there are none" "$(counter west tx-dummy)" "$total"
must ip -n west link set vpn0 up
check "then they go on" wait_for 20 sent $((total + 20))

# ---- they end with the SA --------------------------------------------------------------

must sa set limit hard-packets $(($(of_sa .packets) + 50))
ended() {
	[ "$(of_sa .state)" = dead ]
}
check "dummies reach a limit of packets" wait_for 20 ended
dummies=$(counter west tx-dummy)
sleep 1
is "and end with it" "$(counter west tx-dummy)" "$dummies"
must sa del
must at west esptun sa add dev vpn0 dir out spi 0x3002 peer 1 dummy 100 \
	algo aes-gcm-256 key "$(key aes-gcm-256 0x33)"
check "a new SA begins with them" wait_for 20 sent $((dummies + 20))
must at west esptun sa del dev vpn0 dir out spi 0x3002 peer 1
dummies=$(counter west tx-dummy)
sleep 1
is "deleted, it sends none" "$(counter west tx-dummy)" "$dummies"

# ---- more than can be sent -------------------------------------------------------------

must at west "$PYTHON" -c 'import sys
sys.path.insert(0, sys.argv[1])
import genl
family, link = genl.Family(), genl.ifindex("vpn0")
for i in range(500):
    family.call("sa-new", {"ifindex": link, "sa": {
        "spi": 0x5000 + i, "dir": "out", "peer": 1, "encr": 20, "dummy": 1000,
        "encr-key": (i + 1).to_bytes(36, "big").hex()}})' "$VM_LIB"
check "dummies of 500 SAs, half a million a second" wait_for 20 sent $((dummies + 1000))
must ip -n west link add busy0 type dummy
check "meanwhile grace periods end: a device is deleted" timeout -k 1 60 ip -n west link del busy0
check "and the SAs are" timeout -k 1 60 ip netns exec west esptun sa flush dev vpn0
dummies=$(counter west tx-dummy)
sleep 1
is "that was all" "$(counter west tx-dummy)" "$dummies"
must at west esptun sa add dev vpn0 dir out spi 0x3003 peer 1 dummy 1000 \
	algo aes-gcm-256 key "$(key aes-gcm-256 0x44)"
must at west ip link del vpn0
must at east ip link del vpn0
check "a link is deleted under 1000 a second; rmmod" timeout -k 1 60 rmmod esptun
finish
