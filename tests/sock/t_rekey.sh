#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Child and IKE SAs are rekeyed every few seconds, by strongSwan, by us, by both at once, with
# and without a new key exchange, while pings cross each tunnel; the ikehost of lossy loses 5 % of
# the IKE datagrams. All tunnels at once. No ping may be lost: ESP is not, so nothing but a gap
# between two pairs could lose one.

. "$VM_TOP/tests/vm/lib.sh"
. "$VM_TOP/tests/sock/strongswan.sh"

SECONDS_UP=26
# shellcheck disable=SC2034 # the table below names them
{
never='rekey_time = 0'
child_5s='rekey_time = 5s
        life_time = 30s
        rand_time = 0'
ike_10s='rekey_time = 10s
    over_time = 20s
    rand_time = 0'
ike_15s=${ike_10s/10s/15s}
pfs=aes256gcm16-x25519 no_pfs=aes256gcm16
}

# name; Rekey of ours, or behind how many packets; strongSwan's for the child, the IKE SA and a
# new key exchange; how often the child and the IKE SA are rekeyed at least; pings a second.
tunnels='
child		off,off	child_5s	never	no_pfs	4 0 10
child-pfs	off,off	child_5s	never	pfs	4 0 10
our-child	off,5s	never		never	no_pfs	4 0 10
our-child-pfs	off,5s	never		never	pfs	4 0 10
both-child	off,5s	child_5s	never	pfs	4 0 10
our-packets	1000	never		never	pfs	2 0 100
ike		off,off	never		ike_10s	no_pfs	0 2 10
our-ike		10s,off	never		never	no_pfs	0 2 10
all		off,off	child_5s	ike_15s	pfs	4 1 10
our-all		15s,5s	never		never	pfs	4 1 10
both		15s,5s	child_5s	ike_15s	pfs	4 1 10'

# each FUNCTION: for every tunnel of both sides SIDE N NAME and its columns.
each() {
	local side prefix n line columns
	for side in west lossy; do
		prefix=''
		[ $side = west ] || prefix=l-
		n=0
		while read -r line; do
			[ -n "$line" ] || continue
			read -ra columns <<< "$line"
			n=$((n + 1))
			"$1" $side $n "$prefix${columns[0]}" "${columns[@]:1}"
		done <<< "$tunnels"
	done
}

make_tunnel() {
	local rekey="Rekey = $4"
	[[ $4 == *,* ]] || rekey="Rekey = off, off"$'\n'"RekeyPackets = $4"
	tunnel "$1" "$2" "$3" "peer=$rekey" "child=${!5}" "conn=${!6}" "esp=${!7}"
}

comes_up() {
	check "$3: up" wait_for 20 state_is "$1" "$3" up
}

declare -A ping_pid=()
ping_on() {
	start east "$VM_OUT/$3.ping" ping -q -i "$(bc -l <<< "1 / ${10}")" -c $((SECONDS_UP * ${10})) -W 2 \
		-I "${theirs[$1]}.$2.1" "${ours[$1]}.$2.1"
	ping_pid[$3]=$started
}

ping_ends() {
	wait "${ping_pid[$3]}"
	like "$3: no ping was lost" "$(cat "$VM_OUT/$3.ping")" ", 0% packet loss"
}

# Halfway through a rekeying there are two of them.
one_each() {
	local pairs ike
	report "$1"
	pairs=$(our_pairs "$1" "$2")
	ike=$(our_ike_sas "$1" "$2")
	[[ $pairs && $ike && $pairs$ike != *$'\n'* && $pairs = "$(their_pairs "$2")" && $ike = "$(their_ike_sas "$2")" ]]
}

# rekeyed NAME WHAT TIMES LEAST: 0: not at all.
rekeyed() {
	if [ "$4" = 0 ]; then
		is "$1: the $2 SA stayed" "$3" 0
	else
		check "$1: the $2 SA was rekeyed $3 times, $4 at least" [ "$3" -ge "$4" ]
	fi
}

judge() {
	local side=$1 name=$3 id=$3.$1.example pairs
	check "$name: one IKE SA and one pair, the same at both ends" wait_for 10 one_each "$side" "$name" || {
		grep "\"$name\"" "$VM_OUT/$side.now.json"
		swan --list-sas --ike "$name"
	}
	pairs=$(lines "$side" "select(.event == \"install\" and .tunnel == \"$name\").spi_in" | sort -u | wc -l)
	rekeyed "$name" child $((pairs - 1)) "$8"
	rekeyed "$name" IKE "$(grep -cE "IKE_SA $name\[[0-9]+\] rekeyed between" "$VM_OUT/charon.log")" "$9"
	is "$name: we authenticated once" \
		"$(grep -c "authentication of '$id' with pre-shared key successful" "$VM_OUT/charon.log")" 1
	is "$name: it never went down" \
		"$(lines "$side" "select(.event == \"state\" and .tunnel == \"$name\").state" | xargs)" 'connecting up'
}

three_hosts
charon 'retransmit_timeout = 0.5' 'retransmit_base = 1.5' 'delete_rekeyed_delay = 1'
each make_tunnel
load_swan
ike west
ike lossy --loss 5
each comes_up
each ping_on
each ping_ends
each judge
for side in west lossy; do
	is "$side: every ESP packet was known and authentic" \
		"$(lines $side 'select(.event == "total") | "\(.unknown) \(.bad)"' | tail -n 1)" '0 0'
	check "$side: ends in peace" ike_end $side
done
finish
