#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Post-quantum preshared keys (RFC 8784) with strongSwan: either end begins, has the PPK or not, requires it
# or not, with a PSK and with signatures; and what is refused, with what is said of it.

. "$VM_TOP/tests/vm/lib.sh"
. "$VM_TOP/tests/sock/strongswan.sh"
. "$VM_TOP/tests/sock/certs.sh"

PPK=q8Zb2mXw7Lr4Tn9Kd6Hs3Vf5Yj1Pc0Ga8Ue2Io7Wx4Bz

# strongSwan says USE_PPK to all peers once it has any PPK, and refuses another PPK_ID than its ppk_id.
# name; who begins; our PPKRequired, - without PPK; strongSwan's ppk_required, likewise; what we show then.
tunnels='
both		we	yes	yes	used
both-heard	they	yes	yes	used
either		we	no	no	used
either-heard	they	no	no	used
signed		we	no	yes	used
signed-heard	they	yes	no	used
ours		we	no	-	unknown
ours-heard	they	no	-	not-offered
theirs		we	-	no	none
theirs-heard	they	-	no	none
other-heard	they	no	other	unknown'

make_tunnel() {
	local n=$1 name=$2 start=now peer='' conn='' id=$2-ppk keys=$VM_OUT/keys more=()
	[ "$3" = we ] || start=listen
	[ "$4" = - ] || peer="PPK = $PPK
	PPKID = $name-ppk
	PPKRequired = $4"
	case $5 in
	-) ;;
	other) id=$name-other conn="ppk_id = $id" ;;
	*) conn="ppk_id = $id
	    ppk_required = $5" ;;
	esac
	[ "$5" = - ] || ppk_of "$name" "$id" "$PPK"
	case $name in signed*)
		make_key "$keys/$name" ed25519
		openssl pkey -in "$keys/$name" -pubout -out "$VM_OUT/pubkey/$name.pub"
		make_key "$VM_OUT/private/$name.east" ed25519
		openssl pkey -in "$VM_OUT/private/$name.east" -pubout -out "$VM_OUT/pubkey/$name.east.pub"
		more=("key=Key = $keys/$name" "proof=PublicKey = $VM_OUT/pubkey/$name.east.pub"
			"sauth=auth = pubkey
	      pubkeys = $name.east.pub" "oauth=auth = pubkey
	      pubkeys = $name.pub" "rid=$name.east.example")
		;;
	esac
	tunnel west "$n" "$name" start=$start "peer=$peer" "conn=$conn" "${more[@]}"
}

comes_up() {
	[ "$3" = we ] || quietly swan --initiate --child "$2" --timeout 10
	check "$2: up" wait_for 20 state_is west "$2" up
	check "$2: ESP there and back" pings "$1"
	report west
	is "$2: what came of the PPK" \
		"$(jq -r "select(.event == \"ike\" and .tunnel == \"$2\").ppk" "$VM_OUT/west.now.json")" "$6"
	is "$2: both ends have the same pair" "$(our_pairs west "$2")" "$(their_pairs "$2")"
}

three_hosts
make_folders
mkdir -p "$VM_OUT/keys"
charon
each make_tunnel

# We require what the peer has not; it has another key of that name; it requires what we have not.
mine="PPK = $PPK"
tunnel west 12 we-insist "peer=$mine
	PPKID = nobody"
tunnel west 13 wrong "peer=$mine
	PPKID = wrong-ppk" "conn=ppk_id = wrong-ppk
	    ppk_required = yes"
ppk_of wrong wrong-ppk 0123456789abcdefghijklmnopqrstuvwxyzABCDEFG
tunnel west 14 they-insist start=listen "conn=ppk_id = their-ppk
	    ppk_required = yes"
ppk_of they-insist their-ppk "$PPK"
tunnel west 15 wrong-heard start=listen "peer=$mine
	PPKID = wrong-ppk" "conn=ppk_id = wrong-ppk
	    ppk_required = yes"
tunnel west 16 none-heard start=listen "peer=$mine
	PPKID = nobody"
load_swan
ike west
each comes_up

# refused NAME WORDS
refused() {
	says() {
		lines west "select(.event == \"log\" and (.tunnel == \"$1\" or .tunnel == \"\")).text" | grep -qF -- "$2"
	}
	check "$1: it is said why" wait_for 10 says "$1" "$2"
	is "$1: nothing was installed" "$(lines west "select(.event == \"install\" and .tunnel == \"$1\")")" ''
}

fails() {
	! "$@"
}

for name in they-insist wrong-heard none-heard; do
	check "$name: they get no SA" fails quietly swan --initiate --child "$name" --timeout 5
done
refused we-insist "compare PPK=, PPKID=, PSK="
refused wrong "compare PPK=, PPKID=, PSK="
refused they-insist "requires the PPK 'their-ppk', and there is none here"
refused wrong-heard "does not prove that it has the PPK 'wrong-ppk'"
refused none-heard "does not use PPKs, but PPKRequired = yes"

# Rekeyed keys come of the mixed ones.
check "both: strongSwan rekeys the IKE SA" quietly swan --rekey --ike both
check "both: and the child SA" quietly swan --rekey --child both
sleep 2
check "both: ESP there and back" pings 1
check "ends in peace" ike_end west
finish
