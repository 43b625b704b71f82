#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# vm-tier: full
# vm-timeout: 300
#
# Links made in one network namespace and moved to another: configured from there
# by name, shown under their own names everywhere, and by nobody who has no say
# where they were made.
#
#   home                                  east
#   h0 192.0.2.1/24 ------- veth -------- e0 192.0.2.2/24
#   (vpn0 made here, used in a: inner)    vpn0 10.9.0.2

# shellcheck source=tests/vm/lib.sh
. "$VM_TOP/tests/vm/lib.sh"

nl=$VM_LIB/nl

# gone_from NS PATTERN: no peer of such a device is left there.
gone_from() {
	! in_quiet "$1" esptun peer show 2> /dev/null | grep -qE "dev ($2) "
}

add_ns home east a b
wire home h0 192.0.2.1/24 east e0 192.0.2.2/24
load_esptun
static_east aes-gcm-256 off

# ---- one moved link ------------------------------------------------------------------

must at home ip link add vpn0 type esptun
must ip -n home link set vpn0 netns a name inner
check "the namespace it is in adds a peer by name" at a esptun peer add dev inner id 1 remote 192.0.2.2
for dir in in out; do
	spi=$SPI_WEST start=0x50
	[ $dir = in ] || spi=$SPI_EAST start=0xa0
	check "and an SA, $dir" at a esptun sa add dev inner dir $dir spi $spi peer 1 \
		algo aes-gcm-256 key "$(key aes-gcm-256 $start)"
done
must ip -n a addr add 10.9.0.1/24 dev inner
must ip -n a link set inner up
check "it carries traffic" pings a 10.9.0.2
like "peer show there" "$(at a esptun peer show)" '^peer id 1 dev inner remote 192.0.2.2'
like "peer show there, by name" "$(at a esptun peer show dev inner)" '^peer id 1 dev inner remote'
is "sa show there" "$(at a esptun -j sa show | jq -c '[.[] | [.dev, .dir, .netnsid]]')" \
	'[["inner","in",null],["inner","out",null]]'
is "stats there" "$(at a esptun -j stats dev inner | jq -c '[.[].dev]')" '["inner"]'

index=$(ip -n a -j link show inner | jq '.[0].ifindex')
must ip -n home link add other index "$index" type dummy
like "where it was made it shows under its own name, and the namespace it is in" \
	"$(at home esptun peer show)" '^peer id 1 dev inner netnsid [0-9]+ remote'
must ip -n a link set inner down
must ip -n a link set inner name renamed
must ip -n a link set renamed up
like "its new name follows" "$(at home esptun peer show)" '^peer id 1 dev renamed netnsid'
check "there too it can be changed, by index" at home "$nl" peer-set '{"ifindex":'"$index"',"peer":{"id":1,"keepalive":5}}'
is "and was" "$(at a esptun -j peer show dev renamed id 1 | jq '.[0].keepalive')" 5

must ip -n a link property add dev renamed altname the-tunnel-to-the-other-office
check "an alternative name will do" at a esptun peer set dev the-tunnel-to-the-other-office id 1 keepalive 7
is "it did" "$(at a esptun -j peer show dev the-tunnel-to-the-other-office | jq -c '[.[] | [.dev, .keepalive]]')" \
	'[["renamed",7]]'
must ip -n a link property add dev renamed altname short
check "a short one, too" at a esptun peer show dev short id 1

# ---- two with one index, and a third device of another kind --------------------------

must at home ip link add one index 77 type esptun port 5001
must ip -n home link set one netns a
must at home ip link add two index 77 type esptun port 5002
must ip -n home link set two netns b
must ip -n home link add third index 77 type dummy
check "of two moved links with one index, this one is configured where it is" \
	at a esptun peer add dev one id 11 remote 192.0.2.2
check "and that one where it is" at b esptun peer add dev two id 12 remote 192.0.2.2
refuse "by index alone neither is meant where they were made" 'ENODEV' \
	at home "$nl" peer-new '{"ifindex":77,"peer":{"id":13}}'
is "all have their own names there" \
	"$(at home esptun -j peer show | jq -r '.[] | "\(.id) \(.dev)"' | sort | tr '\n' ' ')" '1 renamed 11 one 12 two '
is "in two namespaces" "$(at home esptun -j peer show | jq '[.[].netnsid] | unique | length')" 2
is "and nothing of the others where one is" "$(at b esptun -j peer show | jq -c '[.[].id]')" '[12]'

# ---- more than one message, links of both kinds ----------------------------------------

must at b ip link add three type esptun port 5003
for i in $(seq 200); do
	printf '{"ifindex":"%s","peer":{"id":%d}}\n' two $((100 + i))
	printf '{"ifindex":"%s","peer":{"id":%d}}\n' three $((100 + i))
done > many
check "many peers on a link made here and on a moved one" at b "$PYTHON" -c '
import json, os, sys
sys.path.insert(0, sys.argv[1])
import genl
family = genl.Family()
for line in open("many"):
    values = json.loads(line)
    values["ifindex"] = genl.ifindex(values["ifindex"])
    family.call("peer-new", values)' "$VM_LIB"
is "are listed each once" "$(at b esptun -j peer show | jq -c '[group_by(.dev)[] | length]')" '[200,201]'

# ---- where the asker has no say ---------------------------------------------------------

start a user.log unshare --user --map-root-user --net sh -c 'echo ready; exec sleep 100'
user=$started
wait_for 10 holds user.log ready || bail "$(cat user.log)"
must at home ip link add four type esptun port 5004
must ip -n home link set four netns "$user"
inside() {
	nsenter -t "$user" -U -n --preserve-credentials "$@"
}
must inside ip link show four
refuse "root where the link is, but not where it was made, may not change it" \
	'CAP_NET_ADMIN where the link was made' inside esptun peer add dev four id 1
refuse "nor read it" 'CAP_NET_ADMIN where the link was made' inside esptun peer show dev four
is "a list has nothing of it" "$(inside esptun -j peer show | jq -c .)" '[]'
check "who has both may" at home nsenter --net="/proc/$user/ns/net" esptun peer add dev four id 1

# ---- the end --------------------------------------------------------------------------

stop "$user"
must ip netns del b
check "with the namespace they were moved to, links go" wait_for 20 gone_from home 'two|four'
must ip netns del home
check "and with the one they were made in" wait_for 20 gone_from a 'renamed|one'
finish
