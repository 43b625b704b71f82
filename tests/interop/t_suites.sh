#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# vm-tier: full
# vm-timeout: 2400
#
# Every suite of ESP that esptund names: with strongSwan and the kernel's ESP, or, where these have
# none, between two agents. Packets cross both ways, and both ends count them. Legacy algorithms are
# refused, with a reason, as long as the module is not told otherwise.
#
#   west: esptund                          east: strongSwan, then esptund
#   10.1.0.1/24 lan0                       10.2.0.1/24 lan0
#   192.0.2.1/24 w0 --------- veth ------- 192.0.2.2/24 e0

# shellcheck disable=SC2154 # $status, $answer, $charon_pid are of west.sh and strongswan.sh
. "$VM_TOP/tests/vm/lib.sh"
. "$VM_TOP/tests/vm/agent.sh"
. "$VM_TOP/tests/interop/strongswan.sh"

IKE=aes256gcm16-prfsha256-x25519

# Both call them alike.
suites='
aes128-sha256 aes192-sha384 aes256-sha512 aes128-sha1 aes256-sha1 aes128-aesxcbc aes256-sha256-esn
aes128ctr-sha256 aes192ctr-sha1 aes256ctr-sha512-esn
aes128ccm8 aes192ccm12 aes256ccm16 aes256ccm16-esn
aes128gcm8 aes192gcm12 aes256gcm16 aes256gcm8-esn
aes128gmac aes256gmac-esn
chacha20poly1305 chacha20poly1305-esn
null-sha256 null-sha1'
legacy='3des-sha1 3des-md5 des-sha1 aes128-md5 null-md5'
# strongSwan 5.9.8 names none of these to the kernel.
own='
aes128-aescmac null-aescmac-esn
aes128ccm8iiv aes256ccm8iiv-esn aes128gcm16iiv aes256gcm16iiv-esn chacha20poly1305iiv
chacha20poly1305iiv-esn'

# bytes_both NS: SAs there have received and sent some.
bytes_both() {
	in_quiet "$1" esptun -s -j sa show dev vpn0 |
		jq -e '[.[] | select(.bytes > 0).dir] | unique | length == 2' > /dev/null
}

crossed() {
	check "$1: ping there" pings west 10.2.0.1 -I 10.1.0.1
	check "$1: ping back" pings east 10.1.0.1 -I 10.2.0.1
	check "$1: long packets" pings west 10.2.0.1 -I 10.1.0.1 -s 1300
}

# chosen SUITE: what the agent says it is, with ESN or without.
chosen() {
	local with=noesn
	[[ $1 != *-esn ]] || with=esn # not of -noesn
	is "$1: chosen" "$(of west .child.proposal)" "${1%-*esn}-$with"
}

with_strongswan() {
	local suite=$1
	begin_anew
	swan esp="$suite"
	ours begin=traffic crypto="ike:$IKE, esp:$suite"
	we_begin
	is "$suite: up" "$status" 0
	[ "$status" = 0 ] || return
	chosen "$suite"
	crossed "$suite"
	like "$suite: strongSwan counts both ways" "$(their_sas | grep -cE '^ +(in|out) .* [1-9][0-9]* bytes')" '^2$'
	check "$suite: so do we" bytes_both west
}

# The other end: an agent that waits.
theirs() {
	conf east vpn0 <<-END
	[Tunnel]
	LocalID = east.example
	[Peer]
	RemoteID = west.example
	PSK = $AGENT_PSK
	Routes = 10.1.0.0/24
	Crypto = ike:$IKE, esp:$1
	END
	tell east reload > /dev/null
}

# Both would choose ESN unless told not to.
with_ourselves() {
	local suite=$1
	[[ $suite == *-esn ]] || suite+=-noesn
	tell west down vpn0 > /dev/null 2>&1
	wait_for 20 state_is west down
	theirs "$suite"
	ours begin=traffic crypto="ike:$IKE, esp:$suite"
	we_begin
	is "$suite: up" "$status" 0
	[ "$status" = 0 ] || return
	chosen "$suite"
	crossed "$suite"
	check "$suite: bytes both ways at either end" bytes_both west
	check "$suite: and at the other" bytes_both east
}

rekeys() {
	begin_anew
	swan esp="$1" child="replay_window = 1024
	rekey_time = 5s
	life_time = 20s
	rand_time = 0"
	ours begin=traffic crypto="ike:$IKE, esp:$1"
	we_begin
	is "$1, rekeyed: up" "$status" 0
	meter west "$1" 10.2.0.1 -I 10.1.0.1
	sleep 12
	meter_end "$1"
	check "$1, rekeyed: no gap" [ "$gap" -lt 10 ]
	chosen "$1"
}

load_esptun
two_hosts
single_packets west w0
single_packets east e0
lans
charon
swan
ours begin=traffic
agent west

for suite in $suites; do
	with_strongswan "$suite"
done
rekeys aes256-sha256
rekeys aes128ctr-sha1

# ---- by default --------------------------------------------------------------------------------

# Whoever has nothing but AES-CBC is met by what we offer and take without a word in Crypto.
for suite in aes256-sha256 aes128-sha1; do
	begin_anew
	swan esp=$suite
	ours begin=traffic crypto=modern
	we_begin
	is "modern and $suite: up" "$status" 0
	is "modern and $suite: chosen" "$(of west .child.proposal)" $suite-noesn
	crossed "modern and $suite"
done
begin_anew
swan esp=aes256-sha1,aes128-sha256
ours begin=listen crypto=modern
they_begin
is "modern answers AES-CBC: up" "$status" 0
is "modern answers AES-CBC: our order" "$(of west .child.proposal)" aes256-sha1-noesn
crossed "modern answers AES-CBC"

# ---- legacy ------------------------------------------------------------------------------------

if [ "$(cat /sys/module/esptun/parameters/legacy)" = N ]; then
	begin_anew
	swan esp=3des-sha1
	ours begin=traffic crypto="ike:$IKE, esp:3des-sha1"
	we_begin
	is "3DES without legacy=1: no" "$status" 2
	like "3DES without legacy=1: warned of" "$(said west 'Crypto: 3des')" 'legacy'
	like "3DES without legacy=1: and told why" "$answer$(said west 'kernel')" 'legacy'
	agent_stop west
	must ip -n west link del vpn0
	must rmmod esptun
	must modprobe esptun legacy=1
	is "the module takes legacy algorithms, now" "$(cat /sys/module/esptun/parameters/legacy)" Y
	agent west
fi
for suite in $legacy; do
	with_strongswan "$suite"
done

# ---- without a counterpart ---------------------------------------------------------------------

begin_anew
stop "$charon_pid"
theirs aes128-aescmac
agent east
for suite in $own; do
	with_ourselves "$suite"
done
check "the agents end in peace" agent_stop west
check "both of them" agent_stop east
finish
