#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Certificates: each kind of key, at either end, and who begins; chains of three with fragments; a folder of
# CAs; identities from subjectAltName and DN; and what is refused, with what is said of it.

. "$VM_TOP/tests/vm/lib.sh"
. "$VM_TOP/tests/sock/strongswan.sh"
. "$VM_TOP/tests/sock/certs.sh"

# name; our key; strongSwan's; CAs between root and leaf; our Signatures=; strongSwan's auth words.
tunnels='
rsa		rsa:2048	rsa:2048	0	-	pubkey
pss		rsa:2048	rsa:2048	1	pss	pubkey-rsa/pss
p256		ec:P-256	ec:P-256	0	-	pubkey
p384		ec:P-384	ec:P-384	1	-	pubkey
ed25519		ed25519		ed25519		1	-	pubkey
chain		rsa:4096	rsa:4096	2	-	pubkey
mixed		ec:P-384	rsa:3072	2	-	pubkey'

make_tunnel() {
	local n=$1 name=$2 start=listen issuer=root between=() sign=''
	[ $((n % 2)) = 0 ] || start=now
	[ "$5" -lt 1 ] || issuer=middle between=("$dir/middle.crt")
	[ "$5" -lt 2 ] || issuer=lower between=("$dir/lower.crt" "$dir/middle.crt")
	leaf "$name" "$3" "$issuer" "DNS:$name.west.example"
	leaf "$name.east" "$4" "$issuer" "DNS:$name.east.example"
	cat "$dir/$name.crt" "${between[@]}" > "$dir/$name.chain"
	cp "$dir/$name.east.key" "$VM_OUT/private/"
	cp "$dir/$name.east.crt" "$VM_OUT/x509/"
	[ "$6" = - ] || sign="Signatures = $6"
	# Half of them take their identity from the certificate.
	tunnel west "$n" "$name" start=$start key="Key = $dir/$name.key
	Cert = $dir/$name.chain" proof="CA = $dir/root.crt
	$sign" sauth="auth = $7
	      certs = $name.east.crt" oauth="auth = pubkey
	      cacerts = root.crt" rid="$name.east.example"
	[ $((n % 2)) = 0 ] || sed -i /LocalID/d "/run/conf/west/$name.conf"
}

comes_up() {
	[ $(($1 % 2)) = 1 ] || quietly swan --initiate --child "$2" --timeout 10
	check "$2: up" wait_for 20 state_is west "$2" up
	check "$2: ESP there and back" pings "$1"
}

three_hosts
make_folders
mkdir -p "$dir/cas"
charon 'rsa_pss = yes' 'signature_authentication_constraints = no'
authority root rsa:2048 ''
authority middle rsa:2048 root
authority lower rsa:2048 middle
authority other rsa:2048 ''
cp "$dir/root.crt" "$dir/middle.crt" "$dir/lower.crt" "$VM_OUT/x509ca/"
cp "$dir/root.crt" "$dir/cas/root.pem"
cp "$dir/other.crt" "$dir/cas/other.pem"
each make_tunnel

# With a DN for identity, and a folder of CAs.
leaf dn ec:P-256 root "DNS:unused.example"
leaf dn.east ec:P-256 root "DNS:unused.example"
cp "$dir/dn.east.key" "$VM_OUT/private/"
cp "$dir/dn.east.crt" "$VM_OUT/x509/"
tunnel west 11 dn start=now key="Key = $dir/dn.key
	Cert = $dir/dn.crt" proof="CA = $dir/cas" lid='C=CH, O=Example, CN=dn' rid='C=CH, O=Example, CN=dn.east' \
	sauth='auth = pubkey
	      certs = dn.east.crt' oauth='auth = pubkey
	      cacerts = root.crt'

# strongSwan with a certificate, we with a PSK.
tunnel west 12 half start=now rid=p256.east.example proof="CA = $dir/root.crt
	RemoteAuth = pubkey
	PSK = $PSK" sauth='auth = pubkey
	      certs = p256.east.crt'

# refused_tunnel NAME [KEY=VALUE...]: as tunnel.
bad=13
leaf bad ec:P-256 root DNS:bad.west.example
leaf bad.east ec:P-256 root DNS:bad.east.example
cp "$dir/bad.east.key" "$VM_OUT/private/"
cp "$dir/bad.east.crt" "$VM_OUT/x509/"
refused_tunnel() {
	tunnel west $bad "$1" start=now key="Key = $dir/bad.key
	Cert = $dir/bad.crt" lid=bad.west.example rid=bad.east.example proof="CA = $dir/root.crt" \
		sauth='auth = pubkey
	      certs = bad.east.crt' oauth='auth = pubkey
	      cacerts = root.crt' "${@:2}"
	bad=$((bad + 1))
}

refused_tunnel unknown-ca proof="CA = $dir/other.crt"
refused_tunnel wrong-identity rid=nobody.example
sed -i 's/^RemoteID = .*/RemoteID = any/' /run/conf/west/wrong-identity.conf
refused_tunnel their-doubt oauth='auth = pubkey
	      cacerts = other.crt'
cp "$dir/other.crt" "$VM_OUT/x509ca/"
make_key "$dir/stranger.key" ec:P-256
openssl pkey -in "$dir/stranger.key" -pubout > "$dir/stranger.pub"
refused_tunnel raw-wanted proof="PublicKey = $dir/stranger.pub"
load_swan
ike west
each comes_up
check "subjects for identities, and a folder of CAs: up" wait_for 20 state_is west dn up
check "subjects for identities: ESP there and back" pings 11
check "their certificate, our PSK: up" wait_for 20 state_is west half up
check "their certificate, our PSK: ESP there and back" pings 12

like "chain: strongSwan got fragments" "$(cat "$VM_OUT/charon.log")" \
	'received fragment #[2-9] of [2-9]'

# refused NAME WORDS
refused() {
	says() {
		lines west "select(.event == \"log\" and .tunnel == \"$1\").text" | grep -qF -- "$2"
	}
	check "$1: it is said why" wait_for 10 says "$1" "$2"
	is "$1: nothing was installed" "$(lines west "select(.event == \"install\" and .tunnel == \"$1\")")" ''
}

refused unknown-ca "is issued by 'C=CH, O=Example, CN=root', which CA= does not name"
refused wrong-identity "its certificate 'C=CH, O=Example, CN=bad.east' is for 'bad.east.example'"
refused their-doubt "compare Key="
refused raw-wanted "does not hold the private key that belongs to PublicKey="
check "ends in peace" ike_end west
finish
