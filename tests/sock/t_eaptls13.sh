#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# EAP-TLS by TLS 1.3 (RFC 9190), which strongSwan 5.9 has not: our user, whose server is FreeRADIUS behind a hub of ours, and our
# own server. Both are esptund, without a kernel module, so that TLS is done in the confined keys process.
#
#   west: hubs, 192.0.2.11 and up, and FreeRADIUS  --- veth ---  east: users, 192.0.2.1

. "$VM_TOP/tests/vm/lib.sh"
. "$VM_TOP/tests/sock/strongswan.sh"
. "$VM_TOP/tests/sock/certs.sh"
. "$VM_TOP/tests/sock/freeradius.sh"

SECRET=2kQ7vX9sLmR4tB8wZ1cY6nD3
three_hosts
make_folders
authority root ec:P-256 ''
authority other ec:P-256 ''
leaf west ec:P-256 root "DNS:radius.west.example,DNS:own.west.example,DNS:strict.west.example"
# Its name is that of the hub, for which it speaks.
leaf radius rsa:2048 root DNS:radius.west.example
certify tina rsa:2048 root '/C=CH/O=Example/CN=tina@example.org' 100 \
	subjectAltName=email:tina@example.org keyUsage=critical,digitalSignature \
	"nsComment=$(printf %04400d 7)"
leaf mallory ec:P-256 other email:tina@example.org
mkdir -p "$VM_OUT/radius" /run/conf/west /run/conf/east
echo tina@example.org > "$VM_OUT/radius/users"

# hub N NAME: ours, with these lines more on standard input.
hub() {
	ip -n west addr add "192.0.2.1$1/24" dev w0 2> /dev/null
	cat > "/run/conf/west/$2.conf" <<-END
	[Tunnel]
	LocalID = $2.west.example
	Local = 192.0.2.1$1
	Address = 10.9.$1.1/24
	Key = $dir/west.key
	Cert = $dir/west.crt
	[Pool]
	Range = 10.9.$1.2-10.9.$1.99
	[Peer]
	Clients = 9
	Selectors = 10.1.1.0/24 = any
	END
	cat >> "/run/conf/west/$2.conf"
	chmod 600 "/run/conf/west/$2.conf"
}

# user N NAME HUB CERT: ours, of hub number N.
user() {
	cat > "/run/conf/east/$2.conf" <<-END
	[Tunnel]
	LocalAuth = eap
	EAP = tina@example.org
	LocalID = tina@example.org
	Key = $dir/$4.key
	Cert = $dir/$4.crt
	Address = request
	[Peer]
	Endpoint = 192.0.2.1$1
	RemoteID = $3.west.example
	CA = $dir/root.crt
	EAPMethods = tls
	END
	chmod 600 "/run/conf/east/$2.conf"
}

# logged SIDE PATTERN
logged() {
	holds "$VM_OUT/$1.log" "$2"
}

hub 1 radius < <(printf '[Radius]\nServer = 127.0.0.1\nSecret = %s\n' "$SECRET")
hub 2 own < <(printf 'RemoteAuth = eap\nEAPMethods = tls\nCA = %s\nRemoteID = *@example.org\n' "$dir/root.crt")
hub 3 strict < <(printf 'RemoteAuth = eap\nEAPMethods = tls\nCA = %s\nRemoteID = *@example.com\n' "$dir/root.crt")
user 1 by-radius radius tina
user 2 by-us own tina
user 2 thief own mallory
user 3 other-name strict tina
TLS_MAX=1.3 free_radius radius 1812 "$SECRET"
esptund=$(cd "$VM_TOP" && realpath "${B:-build}/tests/esptund-no-module")
declare -A agent
for side in west east; do
	start "$side" "$VM_OUT/$side.log" "$esptund" --config "/run/conf/$side" \
		--socket "/run/$side.sock" --foreground
	agent[$side]=$started
	check "the agent in $side is there" wait_for 10 logged "$side" ready
done

check "a user logs in at FreeRADIUS" wait_for 20 logged east 'by-radius: .* IKE SA with radius.west.example at .* established'
check "which the hub knows by its name" wait_for 5 logged west ' radius: .* IKE SA with tina@example.org at .* established'
check "by TLS 1.3" logged radius 'TLS 1\.3'
check "a user logs in at our own server" wait_for 20 logged east 'by-us: .* IKE SA with own.west.example at .* established'
check "which knows it by its certificate" wait_for 5 logged west ' own: .* IKE SA with tina@example.org at .* established'
check "a certificate of another CA is refused" wait_for 10 logged west "CN=other', which CA= does not name"
check "and so is a name that RemoteID has not" wait_for 10 logged west \
	"peer identifies as 'tina@example.org', but RemoteID= expects '\*@example.com'"
refuse_logged() {
	! logged east '(thief|other-name): .* IKE SA with .* established'
}
check "neither is let in" refuse_logged
for side in east west; do
	kill -TERM "${agent[$side]}"
	check "the agent in $side ends in peace" wait_for 15 gone "${agent[$side]}"
done
finish
