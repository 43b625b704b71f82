#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# esptun peer-config: what it prints is the far end of a tunnel that comes up, with strongSwan and with our own agent; other
# programs' own checks take it (libreswan's addconn and algparse, OpenIKED's iked -n, with FULL=1); and
# that of every target, of every configuration here, is in its vendor's grammar (grammar.py), or there is one sentence that
# says why there is none.

. "$VM_TOP/tests/vm/lib.sh"
. "$VM_TOP/tests/sock/strongswan.sh"
. "$VM_TOP/tests/sock/certs.sh"
. "$VM_TOP/tests/sock/eap.sh"

ca=$VM_OUT/ca
program=$(cd "$VM_TOP" && realpath "${B:-build}/esptun")
esptund=$(cd "$VM_TOP" && realpath "${B:-build}/esptund")
conf=/run/conf/west
far=$VM_OUT/far

# ours NAME: the configuration of ours on standard input.
ours() {
	cat > "$conf/$1.conf"
	chmod 600 "$conf/$1.conf"
}

# far_end NAME TARGET [OPTION...]: $far/NAME.TARGET.
far_end() {
	"$program" peer-config "$conf/$1.conf" --for "$2" --secrets "${@:3}" > "$far/$1.$2" 2> "$far/$1.$2.err"
}

umask 022
three_hosts
make_folders
mkdir -p "$conf" /run/conf/east "$far"
"$program" ca init --name Tests --dir "$ca" > "$VM_OUT/ca.log" || bail "no CA"
for name in cert.west.example cert.east.example login.east.example; do
	"$program" ca issue $name --dir "$ca" >> "$VM_OUT/ca.log" || bail "no certificate"
done
for n in 1 2 3 4 5 6 7; do
	ip -n west addr add "192.0.2.1$n/24" dev w0 2> /dev/null
	ip -n east addr add "10.2.$n.1/32" dev lo
done

# Tunnel N is from 192.0.2.1N to 192.0.2.1, as strongswan.sh has them.
# begin N NAME: what the two ends are.
begin() {
	cat <<-END
	[Tunnel]
	LocalID = $2.west.example
	Local = 192.0.2.1$1
	${3:-}
	[Peer]
	Endpoint = 192.0.2.1
	RemoteID = $2.east.example
	Routes = 10.2.$1.0/24
	Selectors = 10.1.$1.0/24 = 10.2.$1.0/24
	END
}

(begin 1 psk && echo "PSK = $PSK") | ours psk
(begin 2 theirs && printf 'PSK = hex:%s\nStart = listen\nCrypto = aes128-sha256-ecp256\n' \
	00112233445566778899aabbccddeeff0123456789abcdef) | ours theirs
(begin 3 cert "Key = $ca/issued/cert.west.example.key
Cert = $ca/issued/cert.west.example.crt" && printf 'CA = %s\n' "$ca/ca.crt") | ours cert
(begin 4 ppk && printf 'PSK = %s\nPPK = hex:%s\nPPKID = quantum\n' "$PSK" \
	ffeeddccbbaa99887766554433221100ffeeddccbbaa9988776655443322110a) | ours ppk
for name in cert login; do
	cp "$ca/issued/$name.east.example.key" "$VM_OUT/private/$name.key"
	cp "$ca/issued/$name.east.example.crt" "$VM_OUT/x509/$name.crt"
done
cp "$ca/ca.crt" "$VM_OUT/x509ca/"
ours hub <<-END
	[Tunnel]
	LocalID = hub.west.example
	Local = 192.0.2.15
	Address = 10.9.0.1/24
	[Peer]
	RemoteID = *.client.example
	PSK = $PSK
	Clients = 5
	Selectors = 10.1.5.0/24 = any
	[Pool]
	Range = 10.9.0.2-10.9.0.9
END

# We are a user of strongSwan, and strongSwan is one of ours.
(begin 7 login 'EAP = carol
Password = "correct horse; battery # staple"' | sed '/^LocalID/d' && printf 'CA = %s\n' "$ca/ca.crt") | ours login
echo "alice = correct-horse-battery" > "$VM_OUT/users"
chmod 600 "$VM_OUT/users"
ours users <<-END
	[Tunnel]
	LocalID = cert.west.example
	Local = 192.0.2.16
	Key = $ca/issued/cert.west.example.key
	Cert = $ca/issued/cert.west.example.crt
	Address = 10.8.0.1/24
	[Peer]
	Users = $VM_OUT/users
	Clients = 5
	Selectors = 10.1.6.0/24 = any
	[Pool]
	Range = 10.8.0.2-10.8.0.9
END

# ---- our own agent at the far end -----------------------------------------------------------------

for name in psk theirs cert; do
	check "esptun: $name" far_end $name esptun
	sed "s|/etc/esptun/$name.key|$ca/issued/cert.east.example.key|; s|/etc/esptun/$name.crt|$ca/issued/cert.east.example.crt|
		s|/etc/esptun/ca.crt|$ca/ca.crt|" "$far/$name.esptun" > "/run/conf/east/$name.conf"
	chmod 600 "/run/conf/east/$name.conf"
	like "esptun: $name: esptund --check" "$("$esptund" --check "/run/conf/east/$name.conf")" ok
done
# Both ends are one machine's files: one at a time.
mkdir -p /run/conf/hold
mv "$conf"/{ppk,hub,login,users}.conf /run/conf/hold/
ike east
ike west
for name in psk theirs cert; do
	check "esptun: $name: up here" wait_for 20 state_is west $name up
	check "esptun: $name: up there" wait_for 20 state_is east $name up
done
ike_end west
ike_end east
mv /run/conf/hold/*.conf "$conf/"

# ---- strongSwan -------------------------------------------------------------------------------------

check "swanctl: hub" far_end hub swanctl --id road.client.example
check "swanctl: users" far_end users swanctl --id alice
for name in psk theirs cert ppk login; do
	check "swanctl: $name" far_end $name swanctl
done
like "secrets in a file that others can read draw a warning" "$(cat "$far/psk.swanctl.err")" 'others can read this key'
cat "$far"/*.swanctl > "$VM_OUT/swanctl.conf"
charon "$EAP_PLUGINS" # in place of strongswan.sh's
ike west
load_swan
for name in psk theirs cert ppk login; do
	check "swanctl: $name: up" wait_for 20 state_is west $name up
	like "swanctl: $name: strongSwan has it, too" "$(swan --list-sas --ike $name)" "INSTALLED"
done
for n in 1 2 3; do
	check "swanctl: ESP through tunnel $n" pings $n
done
like "swanctl: ppk: the PPK is used" "$(swan --list-sas --ike ppk)" '/PPK$'
check "swanctl: hub: the client has an address of ours" wait_for 20 grep -q 'installing new virtual IP 10.9.0.' "$VM_OUT/charon.log"
check "swanctl: users: so has the user" wait_for 20 grep -q 'installing new virtual IP 10.8.0.' "$VM_OUT/charon.log"
ike_end west

# ---- other programs' checks, grammars -------------------------------------------------------------

begin 1 keyid | sed 's/keyid.west.example/keyid:0x7f01/' > "$VM_OUT/keyid" # more of ours, that no one here answers
(cat "$VM_OUT/keyid" && echo "PSK = $PSK") | ours keyid
(sed 's/keyid:0x7f01/keyid:router-7/' "$VM_OUT/keyid" && echo "PSK = $PSK") | ours keytext
(begin 1 dn | sed 's/RemoteID.*/RemoteID = C=CH, O=Example, CN=east/' && echo "PSK = $PSK") | ours dn
(begin 1 six | sed 's/Selectors.*/Selectors = fd01::\/64 = fd02::\/64, 10.1.0.0\/16 = 10.2.0.0\/16/; s/Routes.*/Routes = fd02::\/64, 10.2.0.0\/16/' &&
	echo "PSK = $PSK") | ours six
(begin 1 ports | sed 's/Selectors.*/Selectors = 10.1.1.0\/24:tcp:80 = 10.2.1.0\/24:tcp, 10.1.1.5-10.1.1.9 = 10.2.1.0\/24:udp/' &&
	echo "PSK = $PSK") | ours ports
(begin 1 gre | sed 's/Selectors.*/Selectors = any:gre = any:gre/; /Routes/d' && printf 'Mode = transport\nPSK = %s\n' "$PSK") | ours gre
(begin 1 any | sed '/Selectors/d' && echo "PSK = $PSK") | ours any
(begin 1 address | sed 's/LocalID.*/LocalID = 192.0.2.11/; s/RemoteID.*/RemoteID = 192.0.2.1/' && echo "PSK = $PSK") | ours address
ours certs <<-END
	[Tunnel]
	LocalID = cert.west.example
	Key = $ca/issued/cert.west.example.key
	Cert = $ca/issued/cert.west.example.crt
	Address = 10.9.0.1/24
	[Peer]
	RemoteID = *.client.example
	CA = $ca/ca.crt
	Clients = 5
	Selectors = 10.1.5.0/24 = any
	[Pool]
	Range = 10.9.0.2-10.9.0.9
END
"$program" ca issue road.client.example --dir "$ca" --client --p12 "$VM_OUT/road.p12" >> "$VM_OUT/ca.log" || bail "no PKCS#12"

targets=$("$program" -complete peer-config x --for '')
is "fourteen targets" "$(wc -w <<< "$targets")" 14
written=0 refused=0
for file in "$conf"/*.conf; do
	name=$(basename "$file" .conf) options=()
	case $name in
	hub) options=(--id road.client.example) ;;
	certs) options=(--id road.client.example --p12 "$VM_OUT/road.p12" --address 192.0.2.15) ;;
	users) options=(--id alice) ;;
	any) options=(--net 10.1.0.0/16) ;;
	esac
	for target in $targets; do
		if far_end "$name" "$target" "${options[@]}"; then
			written=$((written + 1))
			is "$target: $name" "$("$VM_TOP/tests/sock/grammar.py" "$target" < "$far/$name.$target")" ''
		else
			refused=$((refused + 1))
			like "$target: $name: why not" "$(cat "$far/$name.$target.err")" '^Error: '
			is "$target: $name: and nothing else" "$(cat "$far/$name.$target")" ''
		fi
	done
done
echo "# $written configurations written, $refused refused"
check "more are written than refused" [ "$written" -gt "$refused" ]

# What libreswan and OpenIKED of Debian 12 say, whose packages FULL=1 has fetched.
[ -n "${FULL:-}" ] || finish
tools=$VM_OUT/tools debs=${XDG_CACHE_HOME:-$HOME/.cache}/esptun/apt-bookworm/debs
mkdir -p "$tools"
for package in libreswan openiked; do
	deb=$(find "$debs" -name "${package}_*.deb" 2> /dev/null | sort | tail -n 1)
	check "$package is there" test -n "$deb" || continue
	must dpkg -x "$deb" "$tools"
done
if [ -x "$tools/usr/libexec/ipsec/addconn" ]; then
	for file in "$far"/*.ipsec.conf; do
		[ -s "$file" ] || continue
		check "libreswan: $(basename "$file")" "$tools/usr/libexec/ipsec/addconn" --config "$file" --checkconfig
		for key in ike esp; do
			check "libreswan: its $key" quietly "$tools/usr/libexec/ipsec/algparse" "$key=$(sed -n "s/^  $key=//p" "$file" | head -1)"
		done
	done
fi
if [ -x "$tools/usr/sbin/iked" ]; then
	(getent passwd && echo '_iked:x:999:65534::/nonexistent:/usr/sbin/nologin') > "$VM_OUT/passwd"
	must mount --bind "$VM_OUT/passwd" /etc/passwd
	for file in "$far"/*.iked; do
		[ -s "$file" ] || continue
		chmod 600 "$file"
		check "OpenIKED: $(basename "$file")" "$tools/usr/sbin/iked" -n -f "$file"
	done
fi
finish
