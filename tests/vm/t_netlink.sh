#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# vm-tier: full
# vm-timeout: 400
#
# The netlink family, driven by the specification: every rejection has text and
# changes nothing, rights are checked, keys are not shown. Cases are in
# netlink_cases.py; here is what needs other users.

# shellcheck source=tests/vm/lib.sh
. "$VM_TOP/tests/vm/lib.sh"

two_hosts
load_esptun
esptun_up west 10.9.0.1/24 fd00:9::1/64 local 192.0.2.1
include netlink at west "$PYTHON" "$VM_LIB/netlink_cases.py"

# ---- rights ---------------------------------------------------------------------

nobody() {
	ip netns exec "$1" setpriv --reuid 65534 --regid 65534 --clear-groups --bounding-set -all "${@:2}"
}
# This tree may lie where only its owner may read, such as /root: a copy.
readable=/run/readable
for file in tests/vm/nl tests/vm/genl.py Documentation/netlink/specs/esptun.yaml; do
	must install -D "$VM_TOP/$file" "$readable/$file"
done
nl=$readable/tests/vm/nl
static_sas() {
	must at west esptun peer add dev vpn0 id 1 remote 192.0.2.2 port 4500
	esptun_sas west 1 aes-gcm-256 off $SPI_WEST 0x50 $SPI_EAST 0xa0
}
static_sas
index=$(ip -n west -j link show vpn0 | jq '.[0].ifindex')
# shellcheck disable=SC2086 # words: an option, no JSON
while read -r op json; do
	refuse "nobody may not $op" "EPERM|not permitted" at west nobody "$nl" $op $json
	refuse "nor may root of a user namespace that does not own this network: $op" "EPERM|not permitted" \
		at west unshare --user --map-root-user "$nl" $op $json
done << END
peer-new {"ifindex":$index,"peer":{"id":9}}
peer-set {"ifindex":$index,"peer":{"id":1,"keepalive":5}}
peer-del {"ifindex":$index,"peer":{"id":1}}
sa-new {"ifindex":$index,"sa":{"spi":4096,"dir":"in","peer":1}}
sa-set {"ifindex":$index,"sa":{"spi":8193,"dir":"in","soft-bytes":5}}
sa-del {"ifindex":$index,"sa":{"spi":8193,"dir":"in"}}
spi-alloc {"ifindex":$index,"sa":{"peer":1}}
flush {"ifindex":$index}
ike-bind {}
ike-send {"ifindex":$index,"ike":{"remote-address":"192.0.2.2","remote-port":4500,"data":"00"}}
peer-get {"ifindex":$index,"peer":{"id":1}}
sa-get {"ifindex":$index,"sa":{"spi":8193,"dir":"in"}}
--dump peer-get
--dump sa-get
--dump sa-get {"show-keys":true}
--dump stats-get
--watch 0.1
END
refuse "the command line says why" 'ermi|root|CAP_NET_ADMIN' \
	at west nobody esptun peer add dev vpn0 id 9
is "nothing of that changed anything" \
	"$(at west "$nl" --dump peer-get | wc -l) $(at west "$nl" --dump sa-get | wc -l)" '1 2'

hex=$(key aes-gcm-256 0x50)
hex=${hex#0x}
unlike "root sees none without asking" "$(at west "$nl" --dump sa-get)" "encr-key|${hex:0:16}"
like "root sees them when asking" "$(at west "$nl" --dump sa-get '{"show-keys":true}')" "$hex"

# A user's own user and network namespace is the user's.
own_namespace() {
	ip netns exec "$1" unshare --user --map-root-user --net sh -ec '
		ip link set lo up
		ip link add vpn0 type esptun
		esptun peer add dev vpn0 id 1 remote 127.0.0.1 port 4500
		esptun sa add dev vpn0 dir in spi 0x1000 peer 1 algo aes-gcm-128 key '"$(key aes-gcm-128 1)"'
		test "$(esptun -j sa show dev vpn0 | jq length)" = 1
		test "$(esptun -j peer show dev vpn0 | jq length)" = 1'
}
check "root of a user namespace in its own network namespace may do all" at west own_namespace
is "which the other namespace does not see" "$(at west "$nl" --dump sa-get | wc -l)" 2

# ---- the command line on bad input --------------------------------------------------

refuse "SPI below 256" '256|spi' at west esptun sa add dev vpn0 dir in spi 255 peer 1 \
	algo aes-gcm-128 key "$(key aes-gcm-128 1)"
refuse "key of wrong length" 'key' at west esptun sa add dev vpn0 dir in spi 0x5000 peer 1 \
	algo aes-gcm-128 key 0x0011
refuse "unknown algorithm" 'unknown algorithm' at west esptun sa add dev vpn0 dir in spi 0x5000 peer 1 \
	algo blowfish key "$(key aes-gcm-128 1)"
refuse "duplicate SPI" 'spi|SPI|exists' at west esptun sa add dev vpn0 dir in spi $SPI_WEST peer 1 \
	algo aes-gcm-128 key "$(key aes-gcm-128 1)"
refuse "peer in use" 'SA|use|busy' at west esptun peer del dev vpn0 id 1
refuse "no such peer" 'peer' at west esptun sa add dev vpn0 dir in spi 0x5000 peer 44 \
	algo aes-gcm-128 key "$(key aes-gcm-128 1)"
refuse "no such link" 'vpn7' at west esptun peer add dev vpn7 id 1
refuse "a link of another kind" 'esptun|kind' at west esptun peer add dev w0 id 1
ip -n west link del vpn0
rmmod esptun
printf 'install esptun false\n' > /etc/modprobe.d/esptun-vm.conf
refuse "no module: the remedy is named" 'modprobe esptun' at west esptun sa show

finish
