#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# vm-tier: full
# vm-timeout: 900
#
# Lifetimes of seconds with strongSwan: either end, or both at the same time, rekeys the child SA,
# the IKE SA, or all, with and without a key exchange of its own, and not one packet of a flood of
# pings is lost, nor does esptund begin another IKE SA. Last what no rekeying is: strongSwan closes
# and begins anew (reauth_time without make before break).

# shellcheck disable=SC2154 # $answer, $status, $gap, $charon_pid are of strongswan.sh
. "$VM_TOP/tests/vm/lib.sh"
. "$VM_TOP/tests/vm/agent.sh"
. "$VM_TOP/tests/interop/strongswan.sh"

load_esptun
two_hosts
lans
charon
swan
ours
agent west

up() {
	local name=$1 our=$2
	shift 2
	# shellcheck disable=SC2086 # words
	ours $our
	swan "$@"
	begin_anew
	if [[ $our == *endpoint=* ]]; then
		they_begin
	else
		we_begin
	fi
	is "$name: up" "$status" 0
}

# times WORDS: how often strongSwan's log has them.
times() {
	grep -c -E -- "$1" "$VM_OUT/charon.log"
}

# scene NAME CHILDREN IKES OURS THEIRS...: 100 pings a second and TCP both ways for 30 s; the child
# SA, the IKE SA is rekeyed so often at least.
scene() {
	local name=$1 children=$2 ikes=$3 child_before ike_before begun tcp
	shift 3
	up "$name" "$@"
	child_before=$(times 'CHILD_SA net\{[0-9]+\} established')
	ike_before=$(times 'IKE_SA west\[[0-9]+\] rekeyed')
	begun=$(said west 'initiating to' | wc -l)
	start east /run/iperf-server.log iperf3 -s -1 -B 10.2.0.1
	wait_for 10 listens east 5201
	start west /run/iperf.log iperf3 -c 10.2.0.1 -B 10.1.0.1 -t 28 --bidir -b 20M
	tcp=$started
	at west ping -q -n -c 3000 -i 0.01 -I 10.1.0.1 10.2.0.1 > "/run/$name.flood"
	wait "$tcp"
	is "$name: TCP all the time" "$?" 0
	is "$name: no packet lost" "$(grep -o '3000 packets transmitted, [0-9]* received' "/run/$name.flood")" \
		'3000 packets transmitted, 3000 received'
	check "$name: the child SA was rekeyed $children times" \
		test $(($(times 'CHILD_SA net\{[0-9]+\} established') - child_before)) -ge "$children"
	check "$name: the IKE SA was rekeyed $ikes times" \
		test $(($(times 'IKE_SA west\[[0-9]+\] rekeyed') - ike_before)) -ge "$ikes"
	is "$name: no other IKE SA was begun" "$(said west 'initiating to' | wc -l)" "$begun"
	said west 'ERROR|WARN' | tail -n 3
}

# Packets that cryptd let others overtake are no loss of rekeying: the usual window is 32.
wide='replay_window = 1024'
child="rekey_time = 4s
life_time = 16s
rand_time = 0
$wide"
ike='rekey_time = 6s
over_time = 8s
rand_time = 0'
pfs=aes256gcm16-x25519
scene no-rekeying 0 0 rekey=off,off child="$wide"
scene their-child 5 0 rekey=off,off child="$child"
scene their-child-pfs 5 0 rekey=off,off child="$child" esp=$pfs
scene their-ike 0 3 rekey=off,off conn="$ike" child="$wide"
scene our-child 4 0 rekey=off,5s child="$wide"
scene our-ike 0 1 rekey=10s,off child="$wide"
scene all-pfs 6 3 rekey=10s,5s child="$child" conn="$ike" esp=$pfs
scene listener-all 6 3 'rekey=10s,5s endpoint=' child="$child" conn="$ike"

# reauth NAME OURS: no gap longer than 4 s.
reauth() {
	local name=$1 reauth='rekey_time = 0
reauth_time = 12s
over_time = 5s
rand_time = 0'
	up "$name" "$2" conn="$reauth"
	meter west "$name" 10.2.0.1 -I 10.1.0.1
	sleep 30
	meter_end "$name"
	check "$name: no outage over 4 s" test "$gap" -le 40
}

reauth now-reauth begin=now
reauth listener-reauth endpoint=
agent_stop west
finish
