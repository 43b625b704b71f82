#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# vm-tier: full
# vm-timeout: 300
#
# A stranger, and a peer that holds a key and lies, send all that can be wrong to a link that has
# an honest peer beside: adversary_cases.py. What t_scapy and t_plain_esp have is not repeated.
#
#   east (honest, esptun)                 west                     mallory
#   e0 192.0.2.2 ------------- w0 192.0.2.1, w1 198.51.100.1 ---- m0 198.51.100.2
#   vpn0 10.9.0.2              vpn0 10.9.0.1                       (10.9.0.3)

# shellcheck source=tests/vm/lib.sh
. "$VM_TOP/tests/vm/lib.sh"

two_hosts
load_esptun
static_west aes-gcm-256 off
static_east aes-gcm-256 off
add_ns mallory
wire west w1 198.51.100.1/24 mallory m0 198.51.100.2/24
must ip -n west addr add 2001:db8::1/64 dev w1 nodad
must ip -n west -6 route add 2001:db8:1::/64 dev w1
must at west esptun peer set dev vpn0 id 1 keepalive 0
must at east esptun peer set dev vpn0 id 1 keepalive 0
must at west esptun peer add dev vpn0 id 2 remote 198.51.100.2 port 4500 keepalive 0 roam off
# The liar's: one address inside. Its second SA has a small window.
for spi in 0x2002 0x2b55; do
	window=1024
	[ $spi = 0x2002 ] || window=128
	must at west "$VM_LIB/nl" sa-new '{"ifindex":"vpn0","sa":{"spi":'$((spi))',"dir":"in","peer":2,"encr":20,"encr-key":"'"$(
		key aes-gcm-256 0x70 | cut -c3-)"'","replay-window":'$window',"ts-remote":[{"address":"10.9.0.3","prefix-len":32}],
		"ts-local":[{"address":"10.9.0.1","prefix-len":32}]}}'
done
include adversary "$PYTHON" "$VM_LIB/adversary_cases.py" "$(ip -n west -j link show w1 | jq -r '.[0].address')"
check "the honest tunnel works" pings east 10.9.0.1
finish
