#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# vm-timeout: 550
#
# esptund to esptund through a NAT router: up, traffic, status, down; what is said and
# what is on the wire when key, proposals or selectors do not fit; and what the agent
# says when it cannot start.

. "$VM_TOP/tests/vm/lib.sh"
. "$VM_TOP/tests/vm/agent.sh"

branch_conf() {
	conf gwa hq <<-END
	[Tunnel]
	Address = 169.254.10.2/30
	LocalID = branch.example.org
	[Peer]
	Endpoint = ${endpoint:-198.51.100.2}
	RemoteID = hq.example.org
	PSK = ${psk:-$AGENT_PSK}
	Routes = ${routes:-10.2.0.0/24}
	Crypto = ${crypto:-modern}
	Selectors = ${selectors:-any}
	Start = ${begin:-traffic}
	END
}

hq_conf() {
	conf gwb branch <<-END
	[Tunnel]
	Address = 169.254.10.1/30
	LocalID = hq.example.org
	[Peer]
	RemoteID = branch.example.org
	PSK = $AGENT_PSK
	Routes = 10.1.0.0/24
	Crypto = ${hq_crypto:-modern}
	Selectors = ${hq_selectors:-any}
	END
}

# again VAR=VALUE...: both agents read their configuration with these changes, the branch
# tries; what `esptun up` says is left in $answer, its status in $status.
again() {
	local "$@"
	branch_conf
	hq_conf
	tell gwa reload > /dev/null
	tell gwb reload > /dev/null
	wait_for 10 state_is gwa down
	answer=$(tell gwa up hq 2>&1)
	status=$?
	echo "$answer"
}

# ---- what esptund says when it cannot start ----------------------------------------

add_ns alone
refuse_start() {
	refuse "$1" "$2" in_quiet alone timeout 20 "${@:3}" esptund -c /run/conf/alone -s /run/alone.control
}
mkdir -p /run/conf/alone

echo /bin/false > /proc/sys/kernel/modprobe
rmmod esptun 2> /dev/null
refuse_start "without the module: says how to load it" 'modprobe esptun'
echo /sbin/modprobe > /proc/sys/kernel/modprobe
load_esptun

refuse_start "without root: says so" 'run it as root' \
	setpriv --reuid 65534 --clear-groups --bounding-set -all --inh-caps -all
start alone /run/taken.log "$PYTHON" -c \
	'import socket,time; s=socket.socket(2,2); s.bind(("",500)); print("ready",flush=True); time.sleep(600)'
wait_for 10 holds /run/taken.log ready
refuse_start "port 500 taken: names the program and the cure" \
	"UDP port 500 is taken by python3.* \(process $started\): stop that IKE daemon"
stop $started
refuse "no configuration folder: named" 'cannot read /run/nowhere' \
	in_quiet alone timeout 20 esptund -c /run/nowhere -s /run/alone.control

agent alone
refuse "a second esptund on the same socket" 'another esptund (runs|answers)' \
	in_quiet alone timeout 20 esptund -c /run/conf/alone -s /run/alone.control
refuse "a second esptund in the same namespace" 'another esptund runs in this network namespace' \
	in_quiet alone timeout 20 esptund -c /run/conf/alone -s /run/alone.other
is "the control socket is for root only" "$(stat -c %a /run/alone.control)" 600
is "key tables are for root only" "$(stat -c %a /run/keys/esp_sa /run/keys/ikev2_decryption_table | xargs)" "600 600"
caps=$(sed -n 's/^CapEff:\t//p' "/proc/$(pgrep -n -x esptund)/status")
is "of all capabilities it keeps one" "$caps" 0000000000001000
is "system calls are filtered" "$(sed -n 's/^Seccomp:\t//p' "/proc/$(pgrep -n -x esptund)/status")" 2
refuse "an unknown tunnel is named" 'nosuch.conf: cannot be read: No such file' tell alone up nosuch
check "ends on SIGTERM" agent_stop alone
# A stand-in for systemd: prints what is told to its socket.
start alone /run/notify.log "$PYTHON" -c 'import socket
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind("/run/notify")
while True:
    print(s.recv(99).decode(), flush=True)'
wait_for 10 test -S /run/notify
check "goes to the background once it runs" in_quiet alone env NOTIFY_SOCKET=/run/notify \
	esptund -b -c /run/conf/alone -s /run/alone.control
check "and answers at once" tell alone status
check "systemd is told" wait_for 5 holds /run/notify.log READY=1
refuse "the background one's failure is seen" 'another esptund' in_quiet alone \
	esptund -b -c /run/conf/alone -s /run/alone.control
pkill -TERM -x esptund
check "systemd is told of the end" wait_for 5 holds /run/notify.log STOPPING=1
stop $started

# ---- up, traffic, status, down -------------------------------------------------------

two_sites > /dev/null
capture nat out0 agent.pcap ip
capture_pid=$started
# Wireshark 4.0 does not know ESN.
crypto=aes256gcm16-prfsha256-x25519-noesn branch_conf
hq_conf
agent gwb
agent gwa

answer=$(tell gwa up hq 2>&1)
is "up returns when the tunnel is up" "$?" 0
echo "$answer"
[ "$(of gwa .state)" = up ] || bail "no tunnel, no point"
is "the initiator is up" "$(of gwa .state)" up
wait_for 5 state_is gwb up
is "the responder is up" "$(of gwb .state)" up
is "roles" "$(of gwa .ike.role) $(of gwb .ike.role)" "initiator responder"
is "identities are proven" "$(of gwa '.ike.remote_id') $(of gwb '.ike.remote_id')" \
	"hq.example.org branch.example.org"
is "both floated to 4500 and know who is behind the NAT" \
	"$(of gwa '.ike.remote, .ike.nat_local' | xargs)" "198.51.100.2:4500 true"
is "the SPIs of both ends fit" "$(of gwa '.child | .spi_in + .spi_out')" \
	"$(of gwb '.child | .spi_out + .spi_in')"
like "status in words" "$(tell gwa status)" 'hq.*up'
is "no key of its JSON has a dash, as with ip -j" \
	"$(of gwa '[.. | objects | keys[]] | map(select(test("-"))) | unique | join(" ")')" ""
check "the link runs" running gwa hq
like "the route is there" "$(ip -n gwa route)" '10.2.0.0/24 dev hq'
like "the address is there" "$(ip -n gwa addr show hq)" '169.254.10.2/30'
check "ping from LAN to LAN" pings lana 10.2.0.2
check "ping the other way" pings lanb 10.1.0.2
check "iperf3 from LAN to LAN" iperf lana lanb 10.2.0.2
check "the kernel counts it" test "$(of gwa '.peer.rx_packets')" -gt 6
like "log lines carry the SPI pair" "$(said gwa established)" 'hq: \[[0-9a-f]{16}_i [0-9a-f]{16}_r\]'

tell gwa down hq
is "down succeeds" "$?" 0
check "the netdevice is gone" no_link gwa hq
unlike "so is the route" "$(ip -n gwa route)" 'dev hq'
check "the other end heard it" wait_for 5 state_is gwb down
like "its link is dormant" "$(ip -n gwb link show branch)" DORMANT
refuse "pings are answered at once" 'received' pings lanb 10.1.0.2

# ---- what does not fit ------------------------------------------------------------------

again psk=something-else-of-24-char
is "wrong key: up fails" "$status" 2
like "wrong key: the initiator says what to compare" "$answer" 'AUTHENTICATION_FAILED'
like "wrong key: and names the key" "$answer" 'PSK'
like "wrong key: the responder tells too" "$(said gwb 'PSK|pre-shared')" 'branch'

again crypto=aes128gcm16-prfsha256-modp2048 hq_crypto=aes256gcm16-prfsha384-ecp384
is "no common proposal: up fails" "$status" 2
like "no common proposal: the initiator says so" "$answer" 'NO_PROPOSAL_CHOSEN'
like "no common proposal: the responder names both lists" \
	"$(said gwb 'aes128gcm16' | grep aes256gcm16)" 'Crypto'

again selectors='10.1.0.0/24 = 10.2.0.0/24' hq_selectors='10.7.0.0/24 = 10.8.0.0/24'
is "selectors do not fit: up fails" "$status" 2
like "selectors do not fit: the initiator says so" "$answer" 'TS_UNACCEPTABLE'
like "selectors do not fit: the responder names both" \
	"$(said gwb '10\.[12]\.0\.0/24' | grep '10\.[78]\.0\.0/24')" 'Selectors'
is "the IKE SA stays without a child" "$(of gwa '.ike.state, .child' | xargs)" "established null"

again selectors='10.1.0.0/16 = 10.2.0.0/16' hq_selectors='10.2.0.0/24 = 10.1.0.0/24'
is "selectors are narrowed: up" "$status" 0
is "to what both allow" "$(of gwa '.child.local_ts[0], .child.remote_ts[0]' | xargs)" "10.1.0.0/24 10.2.0.0/24"
check "traffic within them passes" pings lana 10.2.0.2
# From the gateway's own address 169.254.10.2, outside of the selectors.
refuse "traffic outside of them is answered at once" 'received' pings gwa 10.2.0.2

# ---- other ways to begin -------------------------------------------------------------------

branch_conf
hq_conf
tell gwb reload > /dev/null
# One that runs would stay up.
tell gwa down hq > /dev/null
begin=traffic branch_conf
tell gwa reload > /dev/null
wait_for 10 state_is gwa down
sleep 1
is "start=traffic waits" "$(of gwa .state)" down
check "the first packet brings it up, and passes" pings lana 10.2.0.2
mkdir -p /etc/netns/gwa
echo '198.51.100.2 hq.test' > /etc/netns/gwa/hosts
endpoint=hq.test:4500 begin=now branch_conf
tell gwa down --all > /dev/null
agent_stop gwa
agent gwa
check "a name as endpoint, starting on port 4500" wait_for 20 state_is gwa up
check "traffic passes" pings lana 10.2.0.2

# A name server, for what is not in /etc/hosts.
mkdir -p /run/dns
echo 'vpn.test A 198.51.100.2' > /run/dns/zone
start nat /run/dns.log "$PYTHON" "$VM_LIB/resolver.py" 192.168.1.1 /run/dns
dns_pid=$started
wait_for 30 holds /run/dns.log ready || bail "$(cat /run/dns.log)"
echo 'nameserver 192.168.1.1' > /etc/netns/gwa/resolv.conf
tell gwa down --all > /dev/null
agent_stop gwa
endpoint=nosuch.test begin=now branch_conf
agent gwa
check "an unknown name" wait_for 20 state_is gwa failed
like "is named" "$(of gwa .error)" 'cannot find the address of nosuch.test: .*asks again'
endpoint=vpn.test begin=now branch_conf
tell gwa reload
check "a name from DNS" wait_for 20 state_is gwa up

# While a tunnel is being closed for one change, which takes its time as the peer cannot be
# asked, comes the next: that one counts.
must ip -n nat link set out0 down
endpoint=vpn.test begin=now routes=10.3.0.0/24 branch_conf
tell gwa reload
endpoint=vpn.test begin=now routes=10.4.0.0/24 branch_conf
tell gwa reload
has_route() {
	ip -n gwa route show dev hq 2> /dev/null | grep -q "$1"
}
check "reloaded twice while closing: the last file counts" wait_for 20 has_route 10.4.0.0/24
unlike "and the one before does not" "$(ip -n gwa route show dev hq)" '10\.[23]\.0'
must ip -n nat link set out0 up
endpoint=vpn.test begin=now branch_conf
tell gwa reload
check "as before: up" wait_for 40 state_is gwa up

# ---- SAs that end -----------------------------------------------------------------------------

spi_out() {
	of gwa '.child.spi_out'
}
another_pair() {
	state_is gwa up && [ "$(spi_out)" != null ] && [ "$(spi_out)" != "$former" ]
}
former=$(spi_out)
must at gwa esptun sa set dev hq dir out spi "$former" peer 1 limit soft-packets 2
check "traffic passes a soft limit" pings lana 10.2.0.2
check "which brings a new pair" wait_for 15 another_pair
check "traffic passes" pings lana 10.2.0.2
former=$(spi_out)
must at gwa esptun peer add dev hq id 7 remote 203.0.113.7 port 4500
must at gwa esptun sa flush dev hq peer 7
must at gwa esptun peer del dev hq id 7
sleep 2
is "a flush of another peer's SAs is not its business" "$(spi_out)" "$former"
must at gwa esptun sa flush dev hq
check "SAs removed by somebody else are missed" wait_for 60 another_pair
check "traffic passes" pings lana 10.2.0.2

# More events than its socket holds: the last of them, lost, is a deletion.
former=$(spi_out)
kill -STOP "${agent_pid[gwa]}"
must at gwa "$VM_LIB/nl" --repeat 12000 peer-set '{"ifindex": "hq", "peer": {"id": 1, "keepalive": 20}}'
must at gwa esptun sa del dev hq dir out spi "$former" peer 1
kill -CONT "${agent_pid[gwa]}"
check "lost events are noticed" wait_for 20 holds "$VM_OUT/esptund-gwa.part" 'more to tell than we could read'
check "and a deletion among them is made up for" wait_for 60 another_pair
check "traffic passes" pings lana 10.2.0.2

must at gwa ip link del hq
check "a netdevice removed by somebody else is noticed" wait_for 5 state_is gwa failed
check "and made again on demand" tell gwa up hq
check "traffic passes" pings lana 10.2.0.2

check "down --all removes the link" tell gwa down --all
check "which is gone" no_link gwa hq
check "and tells the peer" wait_for 5 state_is gwb down
agent_stop gwa

stop "$dns_pid"
routes=198.51.100.0/24 branch_conf
agent gwa
refuse "a tunnel does not carry itself" "the peer's own address 198.51.100.2 is routed into hq" tell gwa up hq
check "and leaves nothing behind" no_link gwa hq
like "a configuration file that changed is named" "$(touch /run/conf/gwa/hq.conf; tell gwa status)" \
	'^/run/conf/gwa/hq.conf has changed since it was read: esptun reload$'
rm /run/conf/gwa/hq.conf
like "one that is gone" "$(tell gwa status)" '^/run/conf/gwa/hq.conf is gone, .*: esptun reload$'
tell gwa reload > /dev/null
like "without any, the folder" "$(tell gwa status)" '^no tunnels: .* in /run/conf/gwa$'
is "reload forgets what has no file" "$(tell gwa -j status | jq '.tunnels | length')" 0
must at gwa ip link add hq type esptun local 192.168.1.2
begin=now branch_conf
like "a new file is named" "$(tell gwa status)" '^/run/conf/gwa/hq.conf is not loaded: esptun up hq$'
tell gwa reload
unlike "a file that was read is not" "$(tell gwa status)" 'hq.conf'
touch /run/conf/gwa/other.conf
unlike "nor another tunnel's, where this one was asked for" "$(tell gwa status hq)" 'other.conf'
rm /run/conf/gwa/other.conf
check "a netdevice of the user is used" wait_for 20 state_is gwa up
check "traffic passes" pings lana 10.2.0.2
tell gwa down hq
check "and stays" ip -n gwa link show hq
unlike "without our routes" "$(ip -n gwa route)" 'dev hq'
unlike "without our addresses" "$(ip -n gwa addr show hq)" '169.254.10.2'
agent_stop gwa
agent_stop gwb

# ---- on the wire --------------------------------------------------------------------------------

capture_end "$capture_pid"
cp -r /run/keys "$VM_OUT/"
seen=$(notifies agent.pcap)
like "NO_PROPOSAL_CHOSEN on the wire" "$seen" '^34.*\b14\b'
like "AUTHENTICATION_FAILED on the wire, decrypted" "$seen" '^35.*\b24\b'
like "TS_UNACCEPTABLE on the wire, decrypted" "$seen" '^35.*\b38\b'
icv=$(WIRESHARK_CONFIG_DIR=/run/keys tshark -n -r "$VM_OUT/agent.pcap" -c 200 -Y esp -V \
	-o esp.enable_encryption_decode:TRUE -o esp.enable_authentication_check:TRUE 2> /dev/null |
	grep -o 'ESP ICV: .*' | sed 's/.*\[//' | sort | uniq -c)
like "the key table of ESP fits: tshark verifies and decrypts" "$icv" '^ *[0-9]{2,} correct\]'
unlike "all of it" "$icv" 'incorrect'
other=$(tshark -n -r "$VM_OUT/agent.pcap" -Y '!(udp.port == 500 || udp.port == 4500)' 2> /dev/null)
is "nothing but UDP 500 and 4500 on the wire" "$other" ''

finish
