#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Post-quantum preshared keys (RFC 8784) with strongSwan: beside EAP, where either end is the user, and one for each
# client of ours, which come with EAP, certificates and a PSK; rekeyed; and what is refused, with what is said of it.

. "$VM_TOP/tests/vm/lib.sh"
. "$VM_TOP/tests/sock/strongswan.sh"
. "$VM_TOP/tests/sock/certs.sh"
. "$VM_TOP/tests/sock/eap.sh"

ONE=q8Zb2mXw7Lr4Tn9Kd6Hs3Vf5Yj1Pc0Ga8Ue2Io7Wx4Bz
TWO=m3Kp9Wd5Rt7Xb1Zn6Lq2Vh8Cs4Jf0Gy3Ma7Te1Ui5Oz

three_hosts
make_folders
charon "$EAP_PLUGINS" # in place of strongswan.sh's
authority root ec:P-256 ''
leaf east ec:P-256 root DNS:east.example
names=''
for name in log-in weak-log-in bound late-comer stranger borrowed wrong-key without certified; do
	names+=,DNS:$name.west.example
done
leaf west ec:P-256 root "${names#,}"
leaf laptop ec:P-256 root DNS:laptop.client.example
for name in east laptop; do
	cp "$dir/$name.key" "$VM_OUT/private/"
	cp "$dir/$name.crt" "$VM_OUT/x509/"
done
cp "$dir/root.crt" "$VM_OUT/x509ca/"

cat > "$dir/users" <<-END
dave = "a word, and another"
erin = Blue-3, or 4
END
# The PPKs of our clients: of any who names one of these, but for those of sections.
cat > "$dir/ppks" <<-END
# laptops
of-any = $ONE
of/base64+chars== = $TWO
wrong = $TWO
END
chmod 600 "$dir/users" "$dir/ppks"
secret carol 'red herring'
secret cate 'red herring'
secret cleo 'red herring'
secret dave 'a word, and another'
secret erin 'Blue-3, or 4'

# strongSwan says USE_PPK to whoever says it, as it has some.
ppk_of ours ours "$ONE"
ppk_of of-any of-any "$ONE"
ppk_of chars of/base64+chars== "$TWO"
ppk_of unknown unknown "$ONE"
ppk_of wrong wrong "$ONE"
ppk_of daves daves "$TWO"

# theirs PPKID REQUIRED: strongSwan's lines of a connection.
theirs() {
	printf 'ppk_id = %s\n    ppk_required = %s\n' "$1" "$2"
}

our_ppk="PPK = $ONE
	PPKID = ours"
clients="ClientPPKs = $dir/ppks"
we_log_in 1 logs-in carol 'red herring' mschapv2 peer="$our_ppk" conn="$(theirs ours yes)"
we_log_in 2 logs-in-weakly cate 'red herring' md5 peer="EAPMethods = md5
	$our_ppk
	PPKRequired = no" conn="$(theirs ours yes)"
we_log_in 3 may-do-without cleo 'red herring' mschapv2 peer="PPK = $ONE
	PPKID = nobody
	PPKRequired = no"
they_log_in 4 log-in dave mschapv2 peer="$clients" conn="$(theirs of-any yes)"
they_log_in 5 weak-log-in erin md5 peer="EAPMethods = md5
	$clients" conn="$(theirs of/base64+chars== no)"
they_log_in 6 bound dave mschapv2 peer="[Client dave]
	PPKID = daves
	PPK = $TWO" conn="$(theirs daves yes)"
they_log_in 7 late-comer dave mschapv2 peer="$clients
	PPKRequired = no" conn="$(theirs unknown no)"
tunnel west 8 certified start=listen lid=certified.west.example rid=laptop.client.example key="Key = $dir/west.key
	Cert = $dir/west.crt" proof="CA = $dir/root.crt
	Clients = 3
	$clients" sauth='auth = pubkey
	      certs = laptop.crt' oauth='auth = pubkey
	      cacerts = root.crt' conn="$(theirs of-any yes)"
tunnel west 9 shared start=listen rid=desk.client.example proof="PSK = $PSK
	Clients = 3
	PPKRequired = no" peer="[Client *.client.example]
	PPKID = of-desks
	PPK = $TWO" conn="$(theirs of-desks no)"
ppk_of of-desks of-desks "$TWO"

they_log_in 11 stranger dave mschapv2 peer="$clients" conn="$(theirs unknown no)"
they_log_in 12 borrowed erin mschapv2 peer="$clients
	[Client erin]
	PPKID = of/base64+chars==" conn="$(theirs of-any yes)"
they_log_in 13 wrong-key dave mschapv2 peer="$clients" conn="$(theirs wrong yes)"
they_log_in 14 without dave mschapv2 peer="$clients"
we_log_in 15 insists carol 'red herring' mschapv2 peer="PPK = $ONE
	PPKID = nobody"
sed -i '/^Endpoint/d; s/^RemoteID = .*/RemoteID = *.client.example/' /run/conf/west/{certified,shared}.conf
load_swan
ike west

# comes_up N NAME WORDS: we say them of its PPK.
comes_up() {
	check "$2: up" wait_for 20 state_is west "$2" up
	check "$2: ESP there and back" pings "$1"
	report west
	like "$2: what came of the PPK" "$(lines west "select(.event == \"log\" and .tunnel == \"$2\").text")" "$3"
	is "$2: both ends have the same pair" "$(our_pairs west "$2")" "$(their_pairs "$2")"
}

comes_up 1 logs-in 'established: .*, with a PPK'
comes_up 2 logs-in-weakly 'established: .*, with a PPK'
comes_up 3 may-do-without "the PPK 'nobody' is not used, as PPKRequired = no and the peer does not have it"
while read -r n name ppk; do
	quietly swan --initiate --child "$name" --timeout 10
	comes_up "$n" "$name" "$ppk"
done <<-END
	4 log-in IKE SA with dave at .* established: .*, with a PPK
	5 weak-log-in IKE SA with erin at .* established: .*, with a PPK
	6 bound IKE SA with dave at .* established: .*, with a PPK
	7 late-comer the client's PPK is not used, as PPKRequired = no and the peer does not have it
	8 certified established: .*, with a PPK
	9 shared established: .*, with a PPK
END

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

for name in stranger borrowed wrong-key without; do
	check "$name: gets no SA" fails quietly swan --initiate --child "$name" --timeout 5
done
refused stranger "peer 'dave' names the PPK 'unknown', which it does not have here, and PPKRequired = yes requires one"
refused borrowed "peer 'erin' names the PPK 'of-any', which it does not have here, and PPKRequired = yes requires one"
refused wrong-key "peer 'dave' does not prove that it has the PPK 'wrong', or not its key"
refused without "does not use PPKs, but PPKRequired = yes: configure the client's PPK at its side"
refused insists "compare PPK=, PPKID=, EAP= and Password="

# Keys that follow come of the mixed ones, at either end.
for name in logs-in log-in certified; do
	check "$name: strongSwan rekeys the IKE SA" quietly swan --rekey --ike "$name"
	check "$name: and the child SA" quietly swan --rekey --child "$name"
done
sleep 2
for n in 1 4 8; do
	check "tunnel $n: ESP there and back" pings "$n"
done
check "ends in peace" ike_end west
finish
