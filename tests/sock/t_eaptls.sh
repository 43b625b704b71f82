#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# EAP-TLS by TLS 1.2: strongSwan as the server and we as a user with a certificate, then the other way round. In parts of
# messages, with certificates of more than 4 KiB; and what is refused, with what is said of it. (TLS 1.3: t_eaptls13.sh.)

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
leaf west ec:P-256 root "DNS:log-in.west.example,DNS:dn.west.example,DNS:long.west.example,DNS:stranger.west.example,DNS:name.west.example"
leaf carol ec:P-256 root email:carol@example.org
leaf cleo rsa:2048 middle email:cleo@example.org
leaf mallory ec:P-256 other email:carol@example.org
leaf dave ec:P-256 root email:dave@example.org
certify long rsa:2048 root '/C=CH/O=Example/CN=long' 100 subjectAltName=email:long@example.org \
	keyUsage=critical,digitalSignature "$comment"
certify gus ec:P-256 other '/C=CH/O=Example/CN=gus' 100 subjectAltName=email:gus@example.org \
	keyUsage=critical,digitalSignature
cat "$dir/middle.crt" >> "$dir/cleo.crt"
for name in east dave long gus; do
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

refused unknown 'peer ended TLS with the alert'
refused stranger "is issued by 'C=CH, O=Example, CN=other', which CA= does not name"
refused name "'carol@example.org': TLS ends here with the alert 'handshake failure': peer did not return a certificate"
check "ends in peace" ike_end west
finish
