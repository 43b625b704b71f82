#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# EAP-TLS by TLS 1.2: strongSwan as the server and we as a user with a certificate, then the other way round. In parts of
# messages, with certificates of more than 4 KiB; the server with a proof of its own in IKE, and by EAP alone (RFC 5998); and what is
# refused, with what is said of it. (TLS 1.3: t_eaptls13.sh.)

. "$VM_TOP/tests/vm/lib.sh"
. "$VM_TOP/tests/sock/strongswan.sh"
. "$VM_TOP/tests/sock/certs.sh"
. "$VM_TOP/tests/sock/eap.sh"

three_hosts
make_folders
charon "$EAP_PLUGINS eap-tls"
authority root ec:P-256 ''
authority middle rsa:2048 root
authority other ec:P-256 ''
comment="nsComment=$(printf %04400d 7)"
leaf east ec:P-256 root DNS:east.example
leaf west ec:P-256 root "DNS:log-in.west.example,DNS:dn.west.example,DNS:long.west.example,DNS:stranger.west.example,DNS:name.west.example,DNS:only.west.example,DNS:both.west.example,DNS:shy.west.example"
leaf carol ec:P-256 root email:carol@example.org
leaf cleo rsa:2048 middle email:cleo@example.org
leaf mallory ec:P-256 other email:carol@example.org
leaf dave ec:P-256 root email:dave@example.org
leaf ann ec:P-256 root email:ann@example.org
leaf abe ec:P-256 root email:abe@example.org
leaf ada ec:P-256 root email:ada@example.org
leaf art ec:P-256 root email:art@example.org
certify long rsa:2048 root '/C=CH/O=Example/CN=long' 100 subjectAltName=email:long@example.org \
	keyUsage=critical,digitalSignature "$comment"
certify gus ec:P-256 other '/C=CH/O=Example/CN=gus' 100 subjectAltName=email:gus@example.org \
	keyUsage=critical,digitalSignature
cat "$dir/middle.crt" >> "$dir/cleo.crt"
for name in east dave long gus ada art; do
	cp "$dir/$name.key" "$VM_OUT/private/"
	cp "$dir/$name.crt" "$VM_OUT/x509/"
done
cp "$dir/root.crt" "$VM_OUT/x509ca/"

# we_prove N NAME USER CERT [KEY=VALUE...]: we are a user of strongSwan by EAP-TLS, with the certificate CERT.
we_prove() {
	tunnel west "$1" "$2" lid="$3" key="LocalAuth = eap
	EAP = $3
	Key = $dir/$4.key
	Cert = $dir/$4.crt" peer='EAPMethods = tls' proof="CA = $dir/root.crt" rid=east.example \
		sauth='auth = pubkey
	      certs = east.crt' oauth="auth = eap-tls
	      eap_id = %any
	      cacerts = root.crt" "${@:5}"
	sed -i '/^LocalID/d' "/run/conf/west/$2.conf"
}

# they_prove N NAME USER CERT [KEY=VALUE...]: strongSwan is a user of ours by EAP-TLS.
they_prove() {
	tunnel west "$1" "$2" start=listen lid="$2.west.example" rid="$3" key="Key = $dir/west.key
	Cert = $dir/west.crt" proof="RemoteAuth = eap
	EAPMethods = tls
	CA = $dir/root.crt
	Clients = 2" sauth="auth = eap-tls
	      certs = $4.crt
	      eap_id = $3" oauth='auth = pubkey
	      cacerts = root.crt' "${@:5}"
	sed -i '/^Endpoint/d; s/^RemoteID = .*/RemoteID = any/' "/run/conf/west/$2.conf"
}

we_prove 1 carol carol@example.org carol
we_prove 2 chain cleo@example.org cleo
we_prove 3 parts long@example.org long
they_prove 4 log-in dave@example.org dave
they_prove 5 long long@example.org long
they_prove 6 dn 'C=CH, O=Example, CN=dave' dave

# By EAP alone: the server's proof in IKE is left out where both ends are set up for it. strongSwan as a user always says that it takes
# that, and as a server of eap-tls it takes no other user.
eap_only='RemoteAuth = eap-only
	EAPMethods = tls'
swan_eap_only="auth = eap-tls
	      certs = east.crt"
we_prove 7 alone ann@example.org ann peer="$eap_only" sauth="$swan_eap_only"
we_prove 8 asked abe@example.org abe peer="$eap_only"
they_prove 9 only ada@example.org ada oauth='auth = eap-tls'
they_prove 10 shy art@example.org art oauth='auth = eap-tls'
sed -i '/^\[Tunnel\]/a LocalAuth = eap-only' /run/conf/west/only.conf

we_prove 14 not-asked carol@example.org carol sauth="$swan_eap_only"
we_prove 11 unknown carol@example.org mallory
they_prove 12 stranger gus@example.org gus
they_prove 13 name carol@example.org dave
load_swan
ike west

for n in '1 carol' '2 chain' '3 parts'; do
	# shellcheck disable=SC2086 # two words
	set -- $n
	check "$2: up" wait_for 20 state_is west "$2" up
	check "$2: ESP there and back" pings "$1"
done
for n in '4 log-in' '5 long' '6 dn'; do
	# shellcheck disable=SC2086
	set -- $n
	quietly swan --initiate --child "$2" --timeout 10
	check "$2: up" wait_for 20 state_is west "$2" up
	check "$2: ESP there and back" pings "$1"
done
for n in '7 alone' '8 asked'; do
	# shellcheck disable=SC2086
	set -- $n
	check "$2: up" wait_for 20 state_is west "$2" up
	check "$2: ESP there and back" pings "$1"
done
quietly swan --initiate --child only --timeout 10
check "only: up" wait_for 20 state_is west only up
check "only: ESP there and back" pings 9
quietly swan --initiate --child shy --timeout 10
report west
proof_of() {
	jq -r "select(.event == \"ike\" and .tunnel == \"$1\").remote_auth" "$VM_OUT/west.now.json"
}
is "alone: strongSwan proved who it is by EAP alone" "$(proof_of alone)" eap-only
is "asked: … or in IKE, too" "$(proof_of asked)" pubkey
is "only: so do we, …" "$(grep -c "authentication of 'only.west.example' with ECDSA" "$VM_OUT/charon.log")" 0
is "shy: … but in IKE, where we are not set up for it, so that strongSwan, which wants it so, goes" \
	"$(grep -c "authentication of 'shy.west.example' with ECDSA" "$VM_OUT/charon.log")" 1
like "who logged in is known by the name in its certificate" \
	"$(lines west 'select(.event == "log" and .tunnel == "log-in").text')" 'IKE SA with dave@example.org at'
like "… or by its DN" "$(lines west 'select(.event == "log" and .tunnel == "dn").text')" \
	'IKE SA with C=CH, O=Example, CN=dave at'
for n in stranger name; do
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

refused not-asked 'peer answered AUTHENTICATION_FAILED'
refused unknown 'peer ended TLS with the alert'
refused stranger "is issued by 'C=CH, O=Example, CN=other', which CA= does not name"
refused name "'carol@example.org': TLS ends here with the alert 'handshake failure': peer did not return a certificate"
check "ends in peace" ike_end west
finish
