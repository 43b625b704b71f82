#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# esptund itself, without a kernel module (no_module.c), fetches CRLs and asks OCSP responders about strongSwan's
# certificates, whoever begins: what is let in, and what is said of what is not; and what the next agent makes of CRLs that
# were kept, when their server does not answer.

. "$VM_TOP/tests/vm/lib.sh"
. "$VM_TOP/tests/sock/strongswan.sh"
. "$VM_TOP/tests/sock/certs.sh"

# name; what its certificate names (a CRL, or an OCSP responder); more of [Peer], _ for a blank, ; between lines, - for none; what
# is said of it, - if it is let in. Those of east begin that have even numbers.
tunnels='
good		192.0.2.1/good.crl		-		-
shared		192.0.2.1/good.crl		-		-
revoked		192.0.2.1/good.crl		-		reason keyCompromise, says the CRL of
we-begin	192.0.2.1/good.crl		-		reason keyCompromise, says the CRL of
stale		192.0.2.1/stale.crl		-		is too old: the next one was due on
absent		192.0.2.1/absent.crl		-		http://192.0.2.1/absent.crl: the server says: HTTP status 404
closed		192.0.2.1:9/good.crl		-		no connection to 192.0.2.1, port 9
large		192.0.2.1/large.crl		-		it is larger than 262144 bytes
slow		192.0.2.1/slow.crl		-		there was no whole answer within 5 seconds
loop		192.0.2.1/loop.crl		-		there are more than 3 redirects
moved		192.0.2.1/https.crl		-		and only http:// is followed
foreign		192.0.2.1/other.crl		-		what comes from there is the CRL of another CA
junk		192.0.2.1/junk.crl		-		what comes from there is no CRL
own		127.0.0.1/good.crl		-		127.0.0.1 is an address that no host beyond a router has
allowed		127.0.0.1/allowed.crl		FetchFrom_=_127.0.0.1	no connection to 127.0.0.1, port 80
strict		192.0.2.1/stranger.crl		Fetch_=_no;Revocation_=_strict	there is no CRL of
off		192.0.2.1/absent.crl		Revocation_=_off	-
ocsp		ocsp:8888			-		-
ocsp-bad	ocsp:8888			-		says the OCSP responder of
ocsp-gone	ocsp:9				-		no connection to 192.0.2.1, port 9'

make_tunnel() {
	local n=$1 name=$2 start=listen
	[ $((n % 2)) = 0 ] || start=now
	tunnel west "$n" "$name" start=$start rid="$name.east.example" key="Key = $dir/west.key
	Cert = $dir/west.crt
	LocalAuth = pubkey" lid=west.example proof="CA = $dir/root.crt
	$(sed 's/^-$//; s/_/ /g; s/;/\n/g' <<< "$4")" sauth="auth = pubkey
	      certs = $name.east.crt" oauth='auth = pubkey
	      cacerts = root.crt'
}

make_leaf() {
	local names=crlDistributionPoints=URI:http://$3
	[[ $3 != ocsp:* ]] || names="authorityInfoAccess=OCSP;URI:http://192.0.2.1:${3#ocsp:}/"
	certify "$2.east" ec:P-256 root "/C=CH/O=Example/CN=$2.east" 100 "subjectAltName=DNS:$2.east.example" \
		keyUsage=critical,digitalSignature "$names"
	cp "$dir/$2.east.key" "$VM_OUT/private/"
	cp "$dir/$2.east.crt" "$VM_OUT/x509/"
}

# says NAME TEXT
says() {
	grep -F "$1: " "$VM_OUT/$log" | grep -qF -- "$2"
}

# up NAME [TIMES]
up() {
	[ "$(grep -c "IKE_SA $1\[[0-9]*\] established" "$VM_OUT/charon.log")" -ge "${2:-1}" ]
}

outcome() {
	local n=$1 name=$2 said=${*:5}
	[ $((n % 2)) = 1 ] || quietly swan --initiate --child "$name" --timeout 15
	if [ "$said" = - ]; then
		check "$name: up" wait_for 25 up "$name"
		return
	fi
	check "$name: it is said why" wait_for 25 says "$name" "$said"
}

three_hosts
make_folders
charon
authority root ec:P-384 ''
authority other ec:P-256 ''
cp "$dir/root.crt" "$VM_OUT/x509ca/"
leaf west ec:P-256 root DNS:west.example
each make_leaf
mkdir "$dir/www"
revocations good root yesterday tomorrow revoked.east we-begin.east
revocations stale root '3 days ago' yesterday
revocations other other yesterday tomorrow
for name in good stale other; do
	openssl crl -in "$dir/$name.crl" -outform DER -out "$dir/www/$name.crl"
done
echo '<html>' > "$dir/www/junk.crl"
start east "$VM_OUT/http.log" "$VM_TOP/tests/sock/http_server.py" 192.0.2.1 80 "$dir/www"
http=$started
for name in ocsp ocsp-bad; do
	state=$'V\t491231235959Z\t'
	[ $name = ocsp ] || state=$'R\t491231235959Z\t'$(date -u -d '1 hour ago' +%y%m%d%H%M%SZ)
	printf '%s\t%s\tunknown\t/CN=%s\n' "$state" \
		"$(openssl x509 -in "$dir/$name.east.crt" -noout -serial | cut -d= -f2)" $name
done > "$dir/ocsp.index"
start east "$VM_OUT/ocsp.log" openssl ocsp -index "$dir/ocsp.index" -CA "$dir/root.crt" -rsigner "$dir/root.crt" \
	-rkey "$dir/root.key" -port 8888 -ndays 1
each make_tunnel
load_swan
# Sanitizers make system calls that no confined process may make.
esptund=$(cd "$VM_TOP" && realpath "${B:-build}/tests/esptund-no-module")
agent_starts() {
	log=$1
	start west "$VM_OUT/$log" "$esptund" --config /run/conf/west --socket /run/agent.sock --state /run/state --foreground
	agent=$started
}

agent_ends() {
	kill -TERM "$agent"
	check "ends in peace" wait_for 15 gone "$agent"
}

agent_starts agent.log
each outcome

is "what several certificates name is fetched once" "$(grep -c '^GET /good.crl' "$VM_OUT/http.log")" 1
check "what was fetched is said" grep -q 'fetched the CRL at http://192.0.2.1/good.crl: ' "$VM_OUT/agent.log"
is "and nothing for who does not want that" "$(grep -c stranger "$VM_OUT/http.log")" 0
check "what failed is said at once" says absent 'cannot fetch the CRL at http://192.0.2.1/absent.crl: '
check "and what to do" says absent 'from http://192.0.2.1/absent.crl into what CRL= in [Peer] names'
is "while nothing is fetched no process is there" "$(pgrep -cx esptund-fetch)" 0
agent_ends

# kept: "BYTES ADDRESS" of each.
kept() {
	grep -aE '^[0-9]+ http://' /run/state/fetched.crls
}

is "the CRL that was of use is kept, and nothing else" "$(kept)" \
	"$(stat -c %s "$dir/www/good.crl") http://192.0.2.1/good.crl"
is "for root alone" "$(stat -c %a /run/state/fetched.crls)" 600
kill "$http"
wait_for 10 gone "$http"
agent_starts kept.log
check "without the server the next agent lets in by it" wait_for 25 up good 2
check "and says so" wait_for 25 grep -qF 'cannot fetch the CRL at http://192.0.2.1/good.crl: no connection to 192.0.2.1, port 80; the one that came from there before stands in' "$VM_OUT/kept.log"
check "who was revoked stays so" wait_for 25 says revoked 'reason keyCompromise, says the CRL of'
check "what was not kept is missing" wait_for 25 says stale 'http://192.0.2.1/stale.crl: no connection to 192.0.2.1, port 80'
agent_ends

# It is judged anew: whoever writes the file lets nobody in.
put_kept() {
	printf 'esptun CRLs 1\n%s http://192.0.2.1/good.crl\n' "$(stat -c %s "$1")" > /run/state/fetched.crls
	cat "$1" - <<< '' >> /run/state/fetched.crls
}

put_kept "$dir/www/stale.crl"
agent_starts stale.log
check "a kept CRL that is too old does not count" wait_for 25 says good 'is too old: the next one was due on'
agent_ends
put_kept "$dir/www/other.crl"
agent_starts other.log
check "nor does one of another CA" wait_for 25 says good 'what comes from there is the CRL of another CA'
agent_ends
is "so it was let in by none of them" "$(cat "$VM_OUT"/{stale,other}.log | grep -c 'good: .*established')" 0
finish
