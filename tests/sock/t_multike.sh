#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Additional key exchanges with strongSwan 6 of the Debian in ROOT_STRONGSWAN6: either end begins, IKE SAs
# are rekeyed by strongSwan, by us, by both at once. IKE_INTERMEDIATE leaves in fragments, as strongSwan's
# are of 400 bytes. With ML-KEM, if strongSwan has it: 6.0.1 of Debian 13 has not, 6.1.0 of sid has. Then we have
# it by that Debian's libcrypto.

. "$VM_TOP/tests/vm/lib.sh"
[ -n "${ROOT_STRONGSWAN6:-}" ] || {
	echo "Bail out! ROOT_STRONGSWAN6 names no Debian with strongSwan 6"
	exit 1
}
PEER_ROOT=$ROOT_STRONGSWAN6
. "$VM_TOP/tests/sock/strongswan.sh"
# same_ike_sa NAME: while one is rekeyed there are two.
same_ike_sa() {
	report west
	[ "$(our_ike_sas west "$1")" = "$(their_ike_sas "$1")" ]
}

has_mlkem() {
	swan --list-algs | grep -q ML_KEM_768
}

three_hosts
charon "fragment_size = 400"
rekey_time='rekey_time = 10s
    over_time = 20s
    rand_time = 0'
many=aes256gcm16-prfsha256-x25519-ke1_ecp384-ke2_modp4096
tunnel west 1 begun start=now ike=$many
tunnel west 2 heard start=listen ike=$many
tunnel west 3 theirs start=now ike=$many "conn=$rekey_time"
tunnel west 4 ours start=now ike=$many "peer=Rekey = 10s, off" "conn=rekey_time = 0"
tunnel west 5 both start=now ike=$many "peer=Rekey = 10s, off" "conn=$rekey_time"
names='begun heard theirs ours both'
if has_mlkem; then
	libs=$(dirname "$(ldconfig -p | sed -n 's/.*=> \(.*\/libcrypto.so.3\)$/\1/p' | head -n 1)")
	# shellcheck disable=SC2034 # of strongswan.sh
	IKEHOST_BY=("$PEER_ROOT"/lib64/ld-linux-*.so.2 --library-path "$PEER_ROOT/usr$libs:$libs")
	tunnel west 6 kem start=now ike=aes256gcm16-prfsha256-x25519-ke1_mlkem768 "conn=$rekey_time"
	tunnel west 7 kem-heard start=listen ike=aes256gcm16-prfsha256-x25519-ke1_mlkem1024 "peer=Rekey = 10s, off"
	names+=' kem kem-heard'
else
	echo "# this strongSwan has no ML-KEM"
fi
load_swan
ike west
for name in $names; do
	case $name in *heard) check "$name: they begin" quietly swan --initiate --child "$name" --timeout 20 ;; esac
	check "$name: up" wait_for 20 state_is west "$name" up
done
their_sas
like "additional key exchanges are agreed on" "$(their_sas)" 'CURVE_25519/KE1_ECP_384/KE2_MODP_4096'
n=0
for name in $names; do
	n=$((n + 1))
	check "$name: ESP there and back" pings $n
done
sleep 26
n=0
for name in $names; do
	n=$((n + 1))
	check "$name: both ends have the same IKE SA" wait_for 10 same_ike_sa "$name"
	report west
	is "$name: both ends have the same pair" "$(our_pairs west "$name")" "$(their_pairs "$name")"
	check "$name: ESP there and back" pings $n
done
for name in theirs ours both; do
	like "$name: rekeyed" "$(grep -c "\[IKE\].* $name\[[0-9]*\] .*rekey\|IKE_SA $name.*rekeyed" "$VM_OUT/charon.log")" '^[1-9]'
done
like "with IKE_FOLLOWUP_KE" "$(cat "$VM_OUT/charon.log")" 'IKE_FOLLOWUP_KE response'
like "IKE_INTERMEDIATE in fragments" "$(cat "$VM_OUT/charon.log")" 'generating IKE_INTERMEDIATE response [0-9]+ \[ EF'
finish
