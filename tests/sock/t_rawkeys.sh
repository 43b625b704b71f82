#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Signatures with raw public keys: each kind of key, at either end, and who begins; also one end with
# a PSK; and what is refused, with what is said of it.

. "$VM_TOP/tests/vm/lib.sh"
. "$VM_TOP/tests/sock/strongswan.sh"
. "$VM_TOP/tests/sock/certs.sh"

# name; our key; strongSwan's; our Signatures=; strongSwan's auth words.
tunnels='
rsa		rsa:2048	rsa:2048	-	pubkey
pss		rsa:2048	rsa:3072	pss	pubkey-rsa/pss
rsa4096		rsa:4096	rsa:4096	-	pubkey
p256		ec:P-256	ec:P-256	-	pubkey
p384		ec:P-384	ec:P-384	-	pubkey
p521		ec:P-521	ec:P-521	-	pubkey
ed25519		ed25519		ed25519		-	pubkey
ed448		ed448		ed448		-	pubkey
mixed		ed25519		rsa:2048	-	pubkey
ours-only	ec:P-256	psk		-	psk
theirs-only	psk		ec:P-384	-	pubkey'

# make_pair FILE KIND: FILE and FILE.pub
make_pair() {
	make_key "$1" "$2"
	openssl pkey -in "$1" -pubout -out "$1.pub"
}

make_tunnel() {
	local n=$1 name=$2 start=listen key='' proof='' sauth="auth = $6" oauth='auth = pubkey'
	local keys=$VM_OUT/keys swan=$VM_OUT
	[ $((n % 2)) = 0 ] || start=now
	if [ "$3" = psk ]; then
		oauth='auth = psk' proof="PSK = $PSK"
	else
		make_pair "$keys/$name" "$3"
		cp "$keys/$name.pub" "$swan/pubkey/$name.pub"
		key="Key = $keys/$name" oauth="auth = pubkey
	      pubkeys = $name.pub"
	fi
	if [ "$4" = psk ]; then
		proof="PSK = $PSK"
		key+="
	LocalAuth = pubkey"
	else
		make_pair "$swan/private/$name.east" "$4"
		mv "$swan/private/$name.east.pub" "$swan/pubkey/"
		proof+="
	PublicKey = $swan/pubkey/$name.east.pub"
		sauth="auth = ${6}
	      pubkeys = $name.east.pub"
	fi
	[ "$3" != psk ] || proof+="
	RemoteAuth = pubkey"
	[ "$5" = - ] || proof+="
	Signatures = $5"
	tunnel west "$n" "$name" start=$start key="$key" proof="$proof" sauth="$sauth" \
		oauth="$oauth" rid="$name.east.example"
}

comes_up() {
	[ $(($1 % 2)) = 1 ] || quietly swan --initiate --child "$2" --timeout 10
	check "$2: up" wait_for 20 state_is west "$2" up
	check "$2: ESP there and back" pings "$1"
}

three_hosts
make_folders
mkdir -p "$VM_OUT/keys"
charon 'signature_authentication_constraints = no' 'rsa_pss = yes'
each make_tunnel

# We know another key of the peer; the peer knows another one of ours; one wants what the other has not.
make_pair "$VM_OUT/keys/other" ec:P-256
mv "$VM_OUT/keys/other.pub" "$VM_OUT/pubkey/other.pub"
p256="$VM_OUT/keys/p256" p256_east="$VM_OUT/pubkey/p256.east.pub"
tunnel west 12 our-doubt start=now rid=p256.east.example key="Key = $p256" \
	proof="PublicKey = $VM_OUT/pubkey/other.pub" sauth='auth = pubkey
	pubkeys = p256.east.pub' oauth='auth = pubkey
	pubkeys = p256.pub'
tunnel west 13 their-doubt start=now rid=p256.east.example key="Key = $p256" \
	proof="PublicKey = $p256_east" sauth='auth = pubkey
	pubkeys = p256.east.pub' oauth='auth = pubkey
	pubkeys = other.pub'
tunnel west 14 no-method start=now key="Key = $p256" proof="PublicKey = $p256_east"
load_swan
ike west
each comes_up

# refused NAME WORDS
refused() {
	says() {
		lines west "select(.event == \"log\" and .tunnel == \"$1\").text" | grep -qF -- "$2"
	}
	check "$1: it is said why" wait_for 10 says "$1" "$2"
	is "$1: nothing was installed" "$(lines west "select(.event == \"install\" and .tunnel == \"$1\")")" ''
}

refused our-doubt "does not hold the private key that belongs to PublicKey= in [Peer]"
refused their-doubt "compare Key="
refused no-method "compare Key="
check "ends in peace" ike_end west
finish
