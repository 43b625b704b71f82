#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# vm-tier: full
# vm-timeout: 900
#
# Lifetimes of seconds: either end, or both at the same time, rekeys the child SA, the IKE SA, or
# all, with and without a key exchange of its own, and not one packet of a flood of pings is lost,
# nor does esptund begin another IKE SA. The peer is strongSwan of this Debian, or what t_rekey_*.sh
# puts into $PEER. Last what no rekeying is: strongSwan closes and begins anew (reauth_time without
# make before break).

# shellcheck disable=SC2154 # $answer, $status, $gap are of west.sh and agent.sh
. "$VM_TOP/tests/vm/lib.sh"
. "$VM_TOP/tests/vm/agent.sh"

# A peer: the file that runs it, and where its programs are if not here; $ROOT_* are of suite.
declare -A peers=(
	[strongswan]="strongswan"
	[strongswan6]="strongswan ${ROOT_STRONGSWAN6:-none}"
	[libreswan]="libreswan ${ROOT_LIBRESWAN:-none}")
PEER=${PEER:-strongswan}
read -r program PEER_ROOT <<< "${peers[$PEER]}"
[ "$PEER_ROOT" != none ] || bail "the suite has no root file system with $PEER"
# shellcheck source=tests/interop/strongswan.sh
. "$VM_TOP/tests/interop/$program.sh"

load_esptun
two_hosts
# What a busy host's CPU lets others overtake is no loss of rekeying.
one_queue
lans
peer_start
peer_conf
ours
agent west

# up NAME OURS [KEY=VALUE of peer_conf...]: both are up with these; who has an endpoint begins.
up() {
	local name=$1 our=$2
	shift 2
	# shellcheck disable=SC2086 # words
	ours "selectors=10.1.0.0/24 = 10.2.0.0/24" $our
	peer_conf "$@"
	begin_anew
	if [[ $our == *endpoint=* ]]; then
		they_begin
	else
		we_begin
	fi
	check "$name: up" wait_for 40 state_is west up
}

# had TABLE: SAs that esptund exported keys of; one line for an IKE SA, two for a pair.
had() {
	wc -l < "/run/keys/$1"
}

# drops: what either end counts of packets it dropped, "END NAME NUMBER" a line.
drops() {
	in_quiet west esptun -br stats | awk '$2 ~ /^[rt]x-/ && $2 !~ /^rx-(keepalive|ike)$/ { print "west", $2, $3 }'
	in_quiet east awk '{ print "east", $1, $2 }' /proc/net/xfrm_stat
}

# peer_invalid: packets that the peer's own kernel dropped on their way out because it took the SA
# away between the choice of the SA and its use. TCP's are among them, so that two at most are
# believed to have been pings.
peer_invalid() {
	drops | awk '$1 == "east" && $2 == "XfrmOutStateInvalid" { n += $3 } END { print n + 0 }'
}

# scene NAME CHILDREN IKES OURS [KEY=VALUE of peer_conf...]: 3,000 pings, 100 a second, and TCP both
# ways all the time; the child SA, the IKE SA is rekeyed so often at least.
scene() {
	local name=$1 children=$2 ikes=$3 child_before ike_before begun tcp invalid received
	shift 3
	up "$name" "$@"
	child_before=$(had esp_sa)
	ike_before=$(had ikev2_decryption_table)
	begun=$(said west 'initiating to' | wc -l)
	drops > /run/drops
	invalid=$(peer_invalid)
	start east /run/iperf-server.log iperf3 -s -1 -B 10.2.0.1
	wait_for 10 listens east 5201
	start west /run/iperf.log iperf3 -c 10.2.0.1 -B 10.1.0.1 -t 3600 --bidir -b 20M
	tcp=$started
	at west ping -q -n -c 3000 -i 0.01 -W 20 -I 10.1.0.1 10.2.0.1 > "/run/$name.flood"
	check "$name: TCP all the time" kill -0 "$tcp"
	stop "$tcp"
	received=$(sed -n 's/^3000 packets transmitted, \([0-9]*\) received.*/\1/p' "/run/$name.flood")
	invalid=$(($(peer_invalid) - invalid))
	[ "$received" = 3000 ] || echo "# $name: $received of 3000 received, $invalid dropped by the peer's kernel before they were sent"
	check "$name: no packet lost" test "$((received + (invalid < 2 ? invalid : 2)))" -ge 3000
	drops | awk -v name="$name" '{ key = $1 " " $2 } NR == FNR { was[key] += $3; next } { now[key] += $3 }
		END { for (key in now) if (now[key] > was[key]) print "# " name ": " key, now[key] - was[key] }' /run/drops -
	children=$((2 * children))
	check "$name: the child SA was rekeyed $((children / 2)) times" \
		test $(($(had esp_sa) - child_before)) -ge "$children"
	check "$name: the IKE SA was rekeyed $ikes times" \
		test $(($(had ikev2_decryption_table) - ike_before)) -ge "$ikes"
	echo "# $name: $((($(had esp_sa) - child_before) / 2)) child SAs, $(($(had ikev2_decryption_table) - ike_before)) IKE SAs"
	is "$name: no other IKE SA was begun" "$(said west 'initiating to' | wc -l)" "$begun"
	said west 'ERROR|WARN' | tail -n 3
}

scene no-rekeying 0 0 rekey=off,off
scene their-child 4 0 rekey=off,off child=4
scene their-child-pfs 4 0 rekey=off,off child=4 pfs=yes
scene their-ike 0 3 rekey=off,off ike=6
scene our-child 4 0 rekey=off,5s
scene our-ike 0 1 rekey=10s,off
scene all-pfs 5 3 rekey=10s,5s child=4 ike=6 pfs=yes
scene listener-all 5 3 'rekey=10s,5s endpoint=' child=4 ike=6

# reauth NAME OURS: no gap longer than 4 s.
reauth() {
	local name=$1
	ours "$2"
	swan conn='rekey_time = 0
reauth_time = 12s
over_time = 5s
rand_time = 0'
	begin_anew
	if [[ $2 == endpoint=* ]]; then
		they_begin
	else
		we_begin
	fi
	is "$name: up" "$status" 0
	meter west "$name" 10.2.0.1 -I 10.1.0.1
	sleep 30
	meter_end "$name"
	check "$name: no outage over 4 s" test "$gap" -le 40
}

if [ "$program" = strongswan ]; then
	reauth now-reauth begin=now
	reauth listener-reauth endpoint=
fi
agent_stop west
peer_stop
finish
