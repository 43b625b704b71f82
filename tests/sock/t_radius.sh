#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Users of a RADIUS server: strongSwan logs in by EAP-MSCHAPv2, EAP-TLS and EAP-TTLS, which FreeRADIUS has; esptund, without a
# kernel module, passes them through. What the server says of a user holds, accounting tells of each session, and
# servers that are silent or have another secret are told of.

. "$VM_TOP/tests/vm/lib.sh"
. "$VM_TOP/tests/sock/strongswan.sh"
. "$VM_TOP/tests/sock/certs.sh"
. "$VM_TOP/tests/sock/freeradius.sh"

SECRET=2kQ7vX9sLmR4tB8wZ1cY6nD3
three_hosts
make_folders
charon 'load = random nonce openssl pem pkcs1 pkcs8 pubkey x509 aes sha1 sha2 md5 hmac kdf gcm curve25519 kernel-libipsec kernel-netlink socket-default vici eap-identity eap-mschapv2 eap-tls eap-ttls'
authority root ec:P-256 ''
leaf west ec:P-256 root "DNS:hub.west.example,DNS:lost.west.example"
leaf radius rsa:2048 root DNS:radius.example
leaf tina@corp.example ec:P-256 root email:tina@corp.example
leaf thief ec:P-256 root email:alice@corp.example
cp "$dir/root.crt" "$VM_OUT/x509ca/"
for name in tina@corp.example thief; do
	cp "$dir/$name.key" "$VM_OUT/private/"
	cp "$dir/$name.crt" "$VM_OUT/x509/"
done

mkdir -p "$VM_OUT/radius"
cat > "$VM_OUT/radius/users" <<-END
alice Cleartext-Password := "Wonder-5"
  Framed-IP-Address = 10.9.1.77,
  Class = "gold",
  Acct-Interim-Interval = 60
bob Cleartext-Password := "Builder-6"
  Framed-IP-Address = 10.8.0.1
short Cleartext-Password := "Moment-7"
  Session-Timeout = 3
hidden Cleartext-Password := "Secret-8"
tina@corp.example
  Class = "tls"
mallory Cleartext-Password := "Other-9"
  Reply-Message = "go away"
END

# hub N NAME SECRET: ours, whose first RADIUS server is not there.
hub() {
	ip -n west addr add "192.0.2.1$1/24" dev w0 2> /dev/null
	mkdir -p /run/conf/west
	cat > "/run/conf/west/$2.conf" <<-END
	[Tunnel]
	LocalID = $2.west.example
	Local = 192.0.2.1$1
	Address = 10.9.$1.1/24
	Key = $dir/west.key
	Cert = $dir/west.crt
	[Peer]
	Clients = 9
	Selectors = 10.1.1.0/24 = any
	[Pool]
	Range = 10.9.$1.2-10.9.$1.99
	[Radius]
	Server = 127.0.0.1:1645
	Secret = $SECRET
	[Radius]
	Server = 127.0.0.1
	Secret = $3
	END
	chmod 600 "/run/conf/west/$2.conf"
}

# user NAME N HUB AUTH [LINE of local...]: strongSwan's connection and child NAME to hub number N.
user() {
	cat >> "$VM_OUT/swanctl.conf" <<-END
	connections {
	  $1 {
	    version = 2
	    local_addrs = 192.0.2.1
	    remote_addrs = 192.0.2.1$2
	    proposals = aes256gcm16-prfsha256-x25519
	    vips = 0.0.0.0
	    local {
	      auth = $4
	      $(printf '%s\n      ' "${@:5}")
	    }
	    remote {
	      auth = pubkey
	      id = $3.west.example
	      cacerts = root.crt
	    }
	    children {
	      $1 {
	        remote_ts = 10.1.1.0/24
	        esp_proposals = aes256gcm16
	      }
	    }
	  }
	}
	END
}

password() {
	cat >> "$VM_OUT/swanctl.conf" <<-END
	secrets {
	  eap-$1 {
	    id = $1
	    secret = "$2"
	  }
	}
	END
}

# records [PATTERN]: of accounting, a line for each.
records() {
	awk '/^[A-Z]/ { if (line) print line; line = ""; next } { gsub(/^[ \t]+/, ""); line = line "; " $0 } END { print line }' \
		"$VM_OUT/radius/detail" 2> /dev/null | grep -E -- "${1:-.}"
}

logged() {
	holds "$VM_OUT/agent.log" "$1"
}

hub 1 hub "$SECRET"
hub 2 lost another-secret-than-there
user alice 1 hub eap-mschapv2 'id = alice' 'eap_id = alice'
user bob 1 hub eap-mschapv2 'id = bob' 'eap_id = bob'
user short 1 hub eap-mschapv2 'id = short' 'eap_id = short'
user mallory 1 hub eap-mschapv2 'id = mallory' 'eap_id = mallory'
user tina 1 hub eap-tls 'id = tina@corp.example' 'eap_id = tina@corp.example' 'aaa_id = radius.example' 'certs = tina@corp.example.crt' 'cacerts = root.crt'
user thief 1 hub eap-tls 'id = alice@corp.example' 'eap_id = alice@corp.example' 'aaa_id = radius.example' 'certs = thief.crt' 'cacerts = root.crt'
user hidden 1 hub eap-ttls 'id = hidden' 'eap_id = hidden' 'aaa_id = radius.example' 'cacerts = root.crt'
user unheard 2 lost eap-mschapv2 'id = alice' 'eap_id = alice'
password alice Wonder-5
password bob Builder-6
password short Moment-7
password hidden Secret-8
password mallory wrong
load_swan
free_radius radius 1812 "$SECRET"
# Sanitizers make system calls that no confined process may make.
esptund=$(cd "$VM_TOP" && realpath "${B:-build}/tests/esptund-no-module")
start west "$VM_OUT/agent.log" "$esptund" --config /run/conf/west \
	--socket /run/agent.sock --foreground
agent=$started
check "the agent is there" wait_for 10 logged 'ready'

check "alice logs in by EAP-MSCHAPv2" quietly swan --initiate --child alice --timeout 20
check "after the first server was silent" logged "the RADIUS server 127.0.0.1:1645 does not answer: nothing listens there"
like "alice has the address that RADIUS gives" "$(swan --list-sas --ike alice)" '10\.9\.1\.77'
check "accounting begins" wait_for 5 records 'Acct-Status-Type = Start'
like "with user, class and address" "$(records Start)" 'User-Name = "alice"'
like "class" "$(records Start)" 'Class = 0x676f6c64'
like "address" "$(records Start)" 'Framed-IP-Address = 10.9.1.77'
id=$(records Start | grep -o 'Acct-Session-Id = "[0-9a-f]*"')
like "each session has its number" "$id" '"[0-9a-f]{16}"'

check "tina logs in by EAP-TLS" quietly swan --initiate --child tina --timeout 20
like "tina has an address of the pool" "$(swan --list-sas --ike tina)" '10\.9\.1\.2'
check "hidden logs in by EAP-TTLS" quietly swan --initiate --child hidden --timeout 20
refuse "a certificate of another is not alice's" "EAP authentication failed" swan --initiate --child thief --timeout 10

refuse "bob's address is not of Range" "failed to establish CHILD_SA" swan --initiate --child bob --timeout 5
check "which is told" logged "the RADIUS server gives 'bob' the address 10.8.0.1 \(Framed-IP-Address\), which Range= in \[Pool\] does not have"
refuse "a wrong password" "EAP authentication failed" swan --initiate --child mallory --timeout 5
check "is told" logged "user 'mallory': the RADIUS server refuses it: go away"

check "short logs in" quietly swan --initiate --child short --timeout 20
check "and is sent away when its time is over" wait_for 10 logged "the time that the RADIUS server gave 'short' is over \(Session-Timeout\)"
check "which accounting tells" wait_for 5 records 'Stop.*User-Name = "short".*Acct-Terminate-Cause = Session-Timeout'

check "alice goes" quietly swan --terminate --ike alice --timeout 10
check "accounting ends" wait_for 5 records "Stop.*$id.*User-Name = \"alice\""
like "with what it carried" "$(records Stop.*alice)" 'Acct-Input-Octets = .*Acct-Output-Gigawords = .*Acct-Session-Time = [0-9]'

refuse "with another secret there is no answer" "not established after" swan --initiate --child unheard --timeout 12
check "which is told, with what to compare" logged "lost.*the RADIUS server 127.0.0.1:1812 does not answer: .*compare secret= of our client \{ \} in its clients.conf"

kill -TERM "$agent"
check "ends in peace" wait_for 15 gone "$agent"
finish
