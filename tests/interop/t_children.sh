#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# vm-tier: full
# vm-timeout: 300
#
# Several child SAs of one tunnel with strongSwan: by [Child NAME] and by SelectorsPerChild, begun by us,
# by strongSwan and by traffic, rekeyed under traffic, refused one by one.

# shellcheck disable=SC2154 # $answer, $status are of strongswan.sh
. "$VM_TOP/tests/vm/lib.sh"
. "$VM_TOP/tests/vm/agent.sh"
. "$VM_TOP/tests/interop/strongswan.sh"

load_esptun
two_hosts
lans
must ip -n east addr add 10.3.0.1/24 dev lan0
must ip -n east addr add 10.4.0.1/24 dev lan0
charon
third="third {
	local_ts = 10.3.0.0/24
	remote_ts = 10.1.0.0/24
	esp_proposals = aes256gcm16
}"

# net_and_third [KEY=VALUE...]: our side, with a section for each child SA.
net_and_third() {
	ours "$@"
	sed -i '/^Selectors = any$/d' /run/conf/west/vpn0.conf
	cat >> /run/conf/west/vpn0.conf <<-END
	[Child net]
	Selectors = 10.1.0.0/24 = 10.2.0.0/24
	[Child third]
	Selectors = 10.1.0.0/24 = 10.3.0.0/24
	END
}
# up_children: the names of those that are up.
up_children() {
	of west '[.children[] | select(.state == "up").name] | join(" ")'
}
they_have() {
	[ "$(their_sas | grep -c INSTALLED)" = "$1" ]
}
lan() {
	pings west "$1" -I 10.1.0.1
}

# ---- [Child NAME] ------------------------------------------------------------------------

swan children="$third"
net_and_third
agent west
check "both come up" wait_for 30 they_have 2
is "and have their names" "$(up_children)" "net third"
check "the first carries its packets" lan 10.2.0.1
check "the second, too" lan 10.3.0.1
is "one IKE SA" "$(their_sas | grep -c ESTABLISHED)" 1
like "status shows both" "$(tell west status vpn0)" 'esp third .*'
refuse "what is in neither is not sent" 'Unreachable|100% packet loss' at west ping -n -c 1 -W 5 -I 10.1.0.1 10.4.0.1

quietly in_quiet east swanctl --terminate --child third
check "strongSwan ends the second: it comes back" wait_for 30 they_have 2
check "and carries packets" lan 10.3.0.1
check "the first was not touched" lan 10.2.0.1

# ---- refused one by one --------------------------------------------------------------------

begin_anew
swan
we_begin
is "strongSwan has the first only: up" "$status" 0
check "the first carries its packets" lan 10.2.0.1
wait_for 20 eval 'tell west status vpn0 | grep -q "10.3.0.0/24"'
like "the second is named as refused" "$(tell west status vpn0)" 'refused the child SA .*10\.3\.0\.0/24'

# ---- pairs, and their side begins ------------------------------------------------------------

begin_anew
swan children="$third"
ours selectors="10.1.0.0/24 = 10.2.0.0/24, 10.1.0.0/24 = 10.3.0.0/24" begin=listen
sed -i '$a SelectorsPerChild = one' /run/conf/west/vpn0.conf
they_begin
is "strongSwan begins one" "$status" 0
quietly in_quiet east swanctl --initiate --child third --timeout 20
check "and the other" wait_for 20 they_have 2
is "each is one of ours" "$(up_children)" "vpn0 vpn0.2"
check "the first carries its packets" lan 10.2.0.1
check "the second, too" lan 10.3.0.1

# ---- by traffic --------------------------------------------------------------------------------

begin_anew
ours selectors="10.1.0.0/24 = 10.2.0.0/24, 10.1.0.0/24 = 10.3.0.0/24" begin=traffic
sed -i '$a SelectorsPerChild = one' /run/conf/west/vpn0.conf
quietly tell west reload
tell west up vpn0 timeout 0 > /dev/null 2>&1
quietly tell west down vpn0
quietly tell west reload
begin_anew
agent_stop west
agent west
check "traffic begins the second" wait_for 30 lan 10.3.0.1
is "and that alone" "$(up_children)" "vpn0.2"
check "a packet of the other begins that beside it" wait_for 30 lan 10.2.0.1
is "both are up" "$(up_children)" "vpn0 vpn0.2"
is "under one IKE SA" "$(their_sas | grep -c ESTABLISHED)" 1
like "the kernel was told to ask" "$(at west esptun peer show dev vpn0)" 'on-demand on'
refuse "what is in none is refused after a while" 'Unreachable|100% packet loss' \
	at west ping -n -c 1 -W 15 -I 10.1.0.1 10.3.1.1

# ---- rekeyed under traffic ---------------------------------------------------------------------

begin_anew
swan child='rekey_time = 4s
life_time = 16s
rand_time = 0
replay_window = 1024' children="third {
	local_ts = 10.3.0.0/24
	remote_ts = 10.1.0.0/24
	esp_proposals = aes256gcm16
	rekey_time = 5s
	life_time = 16s
	rand_time = 0
	replay_window = 1024
}"
net_and_third rekey="12s, 6s"
we_begin
is "both ends rekey: up" "$status" 0
wait_for 20 they_have 2
start west first.log ping -n -i 0.2 -c 150 -W 5 -I 10.1.0.1 10.2.0.1
first=$started
start west second.log ping -n -i 0.2 -c 150 -W 5 -I 10.1.0.1 10.3.0.1
second=$started
wait_for 120 gone "$first"
wait_for 120 gone "$second"
like "none of the first's packets is lost" "$(grep received first.log)" '^150 packets transmitted, 150 received'
like "none of the second's" "$(grep received second.log)" '^150 packets transmitted, 150 received'
check "esptund did not crash" agent_stop west
finish
