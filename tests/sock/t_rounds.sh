#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Two rounds of authentication (RFC 4739): a certificate or a pre-shared key, then EAP-MSCHAPv2. strongSwan as the
# server and we as its client, then the other way round, also with a PPK; and what is refused, with what is said of it.

. "$VM_TOP/tests/vm/lib.sh"
. "$VM_TOP/tests/sock/strongswan.sh"
. "$VM_TOP/tests/sock/certs.sh"
. "$VM_TOP/tests/sock/eap.sh"

three_hosts
make_folders
charon "$EAP_PLUGINS" # in place of strongswan.sh's
authority root ec:P-256 ''
leaf east ec:P-256 root DNS:east.example
leaf west ec:P-256 root "DNS:cert.west.example,DNS:quantum.west.example,DNS:password.west.example,DNS:one.west.example,DNS:server-one.west.example"
leaf hub ec:P-256 root "DNS:log-in.west.example,DNS:shielded.west.example,DNS:shared.west.example,DNS:wrong.west.example,DNS:only-cert.west.example,DNS:only-eap.west.example,DNS:too-many.west.example"
leaf laptop ec:P-256 root DNS:laptop.example
cp "$dir"/{east,laptop}.key "$VM_OUT/private/"
cp "$dir"/{east,laptop}.crt "$VM_OUT/x509/"
cp "$dir/root.crt" "$VM_OUT/x509ca/"
cat > "$dir/users" <<-END
dave = a word, and another
gus = somebody knows
END
chmod 600 "$dir/users"
secret carol 'red herring'
secret cate 'red herring'
secret cora 'red herring'
secret carla 'red herring'
secret dave 'a word, and another'
secret gus 'nobody knows'

we_come 1 cert pubkey carol 'red herring'
we_come 2 secret psk cate 'red herring'
they_come 3 log-in pubkey dave
they_come 4 shared psk dave
# The PPK is in the first round.
PPK=q8Zb2mXw7Lr4Tn9Kd6Hs3Vf5Yj1Pc0Ga8Ue2Io7Wx4Bz
ppk_of quantum quantum-ppk "$PPK"
ppk_of shielded shielded-ppk "$PPK"
we_come 5 quantum pubkey cora 'red herring' "peer=PPK = $PPK
	PPKID = quantum-ppk" 'conn=ppk_id = quantum-ppk
	    ppk_required = yes
	    remote-2 {
	      round = 2
	      auth = eap-mschapv2
	      eap_id = %any
	    }'
they_come 6 shielded pubkey dave "peer=PPK = $PPK
	PPKID = shielded-ppk" 'conn=ppk_id = shielded-ppk
	    ppk_required = yes
	    local-2 {
	      round = 2
	      auth = eap-mschapv2
	      eap_id = dave
	    }'
we_come 11 password pubkey carla 'blue herring'
we_come 12 server-one pubkey cleo 'red herring' conn=''
they_come 13 wrong pubkey gus
they_come 14 only-cert pubkey dave conn=''
they_come 15 only-eap pubkey dave conn='' sauth='auth = eap-mschapv2
	      eap_id = dave'
they_come 16 too-many pubkey dave rid=laptop.example proof="CA = $dir/root.crt"
sed -i 's/^RemoteID = any/RemoteID = laptop.example/' /run/conf/west/too-many.conf
load_swan
ike west

# comes N NAME
comes() {
	check "$2: up" wait_for 20 state_is west "$2" up
	check "$2: ESP there and back" pings "$1"
}

comes 1 cert
comes 2 secret
comes 5 quantum
for n in '3 log-in' '4 shared' '6 shielded'; do
	quietly swan --initiate --child "${n#* }" --timeout 10
	# shellcheck disable=SC2086 # two words
	comes $n
done
like "who logged in is known by the user's name" \
	"$(lines west 'select(.event == "log" and .tunnel == "log-in").text')" 'IKE SA with dave at'
for n in quantum shielded; do
	like "$n: the PPK is used" \
		"$(lines west "select(.event == \"log\" and .tunnel == \"$n\").text")" 'established: .*, with a PPK'
done
for n in wrong only-cert only-eap too-many; do
	quietly swan --initiate --child "$n" --timeout 10
done

# refused NAME WORDS
refused() {
	says() {
		lines west "select(.event == \"log\" and .tunnel == \"$1\").text" | grep -qF -- "$2"
	}
	check "$1: it is said why" wait_for 10 says "$1" "$2"
	is "$1: nothing was installed" "$(lines west "select(.event == \"install\" and .tunnel == \"$1\")")" ''
}

refused password "refused our user's name or password (error 691"
refused server-one 'does not ask us for EAP in the second round (AUTHENTICATION_FAILED, 24)'
refused wrong "'gus': peer does not have the password that we have for it"
refused only-cert "proves itself in one round, but RemoteAuth= is pubkey, eap"
refused only-eap 'wants EAP at once, but has to prove itself by a public key before'
refused too-many 'announces another round of authentication (ANOTHER_AUTH_FOLLOWS), but RemoteAuth= is pubkey'
check "ends in peace" ike_end west
finish
