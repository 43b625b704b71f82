#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Certificates of strongSwan that were revoked, by CRLs in files (t_fetch.sh: fetched), whoever begins: what is let in by which
# Revocation=, and what is said of what is not.

. "$VM_TOP/tests/vm/lib.sh"
. "$VM_TOP/tests/sock/strongswan.sh"
. "$VM_TOP/tests/sock/certs.sh"

# name; who issued its certificate; our CRL=; our Revocation=; what is said of it, - if it is let in.
tunnels='
good		root	fresh.crl	strict	-
revoked		root	fresh.crl	ifuri	(serial number
we-begin	root	fresh.crl	-	says the CRL of
stale		named	stale.crl	ifuri	is too old: the next one was due on
stale-own	root	stale.crl	-	is too old: the next one was due on
future		named	future.crl	ifuri	is from the future: it is valid from
absent		named	-		ifuri	there is no CRL of
unnamed		root	-		ifuri	-
strict		root	-		strict	Revocation = strict wants a CRL
off		root	-		off	-
chain		middle	crls		strict	-
middle-revoked	middle	bad-crls	strict	CN=middle'"'"' (serial number
foreign		named	other.crl	ifuri	there is no CRL of'

# May it be let in? Those of east begin that have even numbers.
make_tunnel() {
	local n=$1 name=$2 start=listen crl='' level=''
	[ $((n % 2)) = 0 ] || start=now
	[ "$4" = - ] || crl="CRL = $dir/$4"
	[ "$5" = - ] || level="Revocation = $5"
	tunnel west "$n" "$name" start=$start rid="$name.east.example" key="Key = $dir/west.key
	Cert = $dir/west.crt
	LocalAuth = pubkey" lid=west.example proof="CA = $dir/root.crt
	Fetch = no
	$crl
	$level" sauth="auth = pubkey
	      certs = $name.east.crt" oauth='auth = pubkey
	      cacerts = root.crt'
}

make_leaf() {
	local issuer=$3 point=()
	[ "$issuer" != named ] || issuer=root point=(crlDistributionPoints=URI:http://crl.example/root.crl)
	certify "$2.east" ec:P-256 "$issuer" "/C=CH/O=Example/CN=$2.east" 100 \
		"subjectAltName=DNS:$2.east.example" keyUsage=critical,digitalSignature "${point[@]}"
	cp "$dir/$2.east.key" "$VM_OUT/private/"
	cp "$dir/$2.east.crt" "$VM_OUT/x509/"
}

says() {
	lines west "select(.event == \"log\" and .tunnel == \"$1\").text" | grep -qF -- "$2"
}

outcome() {
	local n=$1 name=$2 said=${*:6}
	[ $((n % 2)) = 1 ] || quietly swan --initiate --child "$name" --timeout 10
	if [ "$said" = - ]; then
		check "$name: up" wait_for 20 state_is west "$name" up
		check "$name: ESP there and back" pings "$n"
		return
	fi
	check "$name: it is said why" wait_for 20 says "$name" "$said"
	is "$name: nothing was installed" "$(lines west "select(.event == \"install\" and .tunnel == \"$name\")")" ''
}

three_hosts
make_folders
charon
authority root ec:P-384 ''
authority middle ec:P-256 root
authority other ec:P-256 ''
cp "$dir/root.crt" "$dir/middle.crt" "$VM_OUT/x509ca/"
leaf west ec:P-256 root DNS:west.example
each make_leaf
mkdir -p "$dir/crls" "$dir/bad-crls"
revocations fresh root 'yesterday' 'tomorrow' revoked.east we-begin.east
revocations stale root '3 days ago' 'yesterday'
revocations future root 'tomorrow' '3 days'
revocations other other 'yesterday' 'tomorrow'
revocations of-middle middle 'yesterday' 'tomorrow' revoked.east
revocations no-middle root 'yesterday' 'tomorrow' middle
cp "$dir/fresh.crl" "$dir/of-middle.crl" "$dir/crls/"
cp "$dir/no-middle.crl" "$dir/of-middle.crl" "$dir/bad-crls/"
each make_tunnel
load_swan
ike west
each outcome

check "revoked: with its reason" says revoked 'reason keyCompromise, says the CRL of'
check "stale: with our clock" says stale "and this machine's clock says $(date -u +%Y-%m-%d)"
check "stale: with what to do" says stale "from http://crl.example/root.crl into what CRL= in [Peer] names"
check "ends in peace" ike_end west
finish
