#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# EAP: strongSwan as the server and we as a user of it, then the other way round; the server has a certificate in
# both. By EAP-MSCHAPv2 and EAP-MD5; and what is refused, with what is said of it.

. "$VM_TOP/tests/vm/lib.sh"
. "$VM_TOP/tests/sock/strongswan.sh"
. "$VM_TOP/tests/sock/certs.sh"
. "$VM_TOP/tests/sock/eap.sh"

three_hosts
make_folders
charon "$EAP_PLUGINS" # in place of strongswan.sh's
authority root ec:P-256 ''
authority other ec:P-256 ''
leaf east ec:P-256 root DNS:east.example
leaf west ec:P-256 root "DNS:log-in.west.example,DNS:hashed.west.example,DNS:mail.west.example,DNS:weak-hash.west.example,DNS:wrong-password.west.example,DNS:no-user.west.example,DNS:other-method.west.example"
cp "$dir/east.key" "$VM_OUT/private/"
cp "$dir/east.crt" "$VM_OUT/x509/"
cp "$dir/root.crt" "$VM_OUT/x509ca/"

# "nt:" of "Blue-3": iconv and MD4 as in RFC 2759.
cat > "$dir/users" <<-END
dave = "a word, and another"
erin = nt:$(printf %s 'Blue-3' | iconv -t UTF-16LE | openssl dgst -provider legacy -provider default -md4 -r | cut -d' ' -f1)
frank@corp.example = Grün 7
END
chmod 600 "$dir/users"
secret carol 'red herring'
secret cate 'red herring'
secret cleo 'red herring'
secret carla@corp.example Größe-8
secret dave 'a word, and another'
secret erin Blue-3
secret frank@corp.example 'Grün 7'
secret gus 'nobody knows'

we_log_in 1 carol carol 'red herring' mschapv2
we_log_in 2 carla carla@corp.example Größe-8 mschapv2
we_log_in 3 weak cate 'red herring' md5 peer='EAPMethods = md5'
we_log_in 4 asked cleo 'red herring' md5 peer='EAPMethods = mschapv2, md5'
they_log_in 5 log-in dave mschapv2
they_log_in 6 hashed erin mschapv2
they_log_in 7 mail frank@corp.example mschapv2
they_log_in 8 weak-hash dave md5 peer='EAPMethods = mschapv2, md5'

we_log_in 11 password carol 'blue herring' mschapv2
we_log_in 12 stranger mallory 'red herring' mschapv2
we_log_in 13 method carol 'red herring' md5
we_log_in 14 impostor carol 'red herring' mschapv2 proof="CA = $dir/other.crt"
we_log_in 15 unasked carol 'red herring' mschapv2 oauth='auth = pubkey
	      cacerts = root.crt'
they_log_in 16 wrong-password gus mschapv2
they_log_in 17 no-user carol mschapv2
they_log_in 18 other-method erin md5
cat >> "$dir/users" <<-END
gus = somebody knows
END
load_swan
ike west

# they_come N NAME
they_come() {
	quietly swan --initiate --child "$2" --timeout 10
}

# comes_up N NAME
comes_up() {
	check "$2: up" wait_for 20 state_is west "$2" up
	check "$2: ESP there and back" pings "$1"
}

for n in '1 carol' '2 carla' '3 weak' '4 asked'; do
	# shellcheck disable=SC2086 # two words
	comes_up $n
done
for n in '5 log-in' '6 hashed' '7 mail' '8 weak-hash'; do
	# shellcheck disable=SC2086
	they_come $n
	# shellcheck disable=SC2086
	comes_up $n
done
like "who logged in is known by the user's name" \
	"$(lines west 'select(.event == "log" and .tunnel == "mail").text')" 'IKE SA with frank@corp.example at'

for n in '16 wrong-password' '17 no-user' '18 other-method'; do
	# shellcheck disable=SC2086
	they_come $n
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
refused stranger 'compare EAP= and Password='
refused method 'EAPMethods= has mschapv2'
refused impostor "is issued by 'C=CH, O=Example, CN=root', which CA= does not name"
refused unasked 'peer answered AUTHENTICATION_FAILED'
refused wrong-password "'gus': peer does not have the password that we have for it"
refused no-user "'carol': peer is no user here"
refused other-method "it wants type 4 (EAP-MD5), and EAPMethods= has mschapv2"
check "ends in peace" ike_end west
finish
