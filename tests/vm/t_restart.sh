#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# vm-tier: full
# vm-timeout: 720
#
# The agent dies and comes back while traffic flows: not one packet is lost, and the
# SAs it left are taken over and replaced without a gap. Packets are numbered, one each
# 10 ms in each direction, and the receivers tell which did not come.

. "$VM_TOP/tests/vm/lib.sh"
. "$VM_TOP/tests/vm/agent.sh"

cat > /run/numbers.py <<'END'
"""numbers.py recv PORT FILE | send ADDRESS PORT FILE: UDP datagrams with numbers, until
SIGTERM; then FILE holds how many were sent, or how many came until none did for a second, the last,
and the missing ones."""
import signal, socket, sys, time

class Over(Exception):
    pass

def over(*_):
    raise Over

signal.signal(signal.SIGTERM, over)
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
seen, sent = set(), 0
try:
    if sys.argv[1] == 'recv':
        s.setsockopt(socket.SOL_SOCKET, 33, 64 << 20)  # SO_RCVBUFFORCE: one that stands still loses none
        s.bind(('', int(sys.argv[2])))
        print('ready', flush=True)
        while True:
            seen.add(int.from_bytes(s.recv(64), 'big'))
    to = (sys.argv[2], int(sys.argv[3]))
    print('ready', flush=True)
    while True:
        try:
            s.sendto(sent.to_bytes(8, 'big'), to)
        except OSError as e:  # an ICMP error is a loss too: the number does not come
            print(e, flush=True)
        sent += 1
        time.sleep(0.01)
except Over:
    pass
if sys.argv[1] == 'recv':
    s.settimeout(1)
    try:
        while True:
            seen.add(int.from_bytes(s.recv(64), 'big'))
    except TimeoutError:
        pass
with open(sys.argv[-1], 'w') as f:
    if sys.argv[1] == 'send':
        print(sent, file=f)
    else:
        missing = sorted(set(range(max(seen, default=0) + 1)) - seen)
        print(len(seen), max(seen, default=-1), *missing, file=f)
END

# flow FROM TO ADDRESS NAME: numbers begin to flow; flow_end NAME: they end.
declare -A flow_pid=()
flow() {
	start "$2" "/run/$4.recv.log" "$PYTHON" /run/numbers.py recv 7000 "/run/$4.recv"
	flow_pid[$4.recv]=$started
	wait_for 60 holds "/run/$4.recv.log" ready || bail "numbers.py: $(cat "/run/$4.recv.log")"
	start "$1" "/run/$4.send.log" "$PYTHON" /run/numbers.py send "$3" 7000 "/run/$4.send"
	flow_pid[$4.send]=$started
	wait_for 60 holds "/run/$4.send.log" ready || bail "numbers.py: $(cat "/run/$4.send.log")"
}

flow_end() {
	kill "${flow_pid[$1.send]}"
	wait "${flow_pid[$1.send]}"
	sleep 1
	kill "${flow_pid[$1.recv]}"
	wait "${flow_pid[$1.recv]}"
}

# all_came NAME WHAT
all_came() {
	local sent count missing
	read -r sent < "/run/$1.send"
	read -r count _ missing < "/run/$1.recv"
	echo "# $2: $sent sent, $count came; missing: ${missing:-none}; errors: $(grep -vc ready "/run/$1.send.log")"
	check "$2: enough packets to tell" test "$sent" -gt 200
	# The sender may be ended between sending a number and counting it.
	check "$2: the last one came" test "$count" -ge "$sent"
	is "$2: none was lost" "${missing:-none}" none
}

two_sites > /dev/null
load_esptun
conf gwb branch <<-END
	[Tunnel]
	LocalID = hq.example.org
	[Peer]
	RemoteID = branch.example.org
	PSK = $AGENT_PSK
	Routes = 10.1.0.0/24
END
conf gwa hq <<-END
	[Tunnel]
	LocalID = branch.example.org
	[Peer]
	Endpoint = 198.51.100.2
	RemoteID = hq.example.org
	PSK = $AGENT_PSK
	Routes = 10.2.0.0/24
END
agent gwb
agent gwa
wait_for 20 state_is gwa up || bail "no tunnel"
check "the tunnel works" pings lana 10.2.0.2

# ---- the initiator's agent ------------------------------------------------------------

spis() {
	of "$1" '.child | .spi_in + " " + .spi_out'
}

# The SPIs the kernel has, in order.
kernel_spis() {
	ip netns exec "$1" esptun -j sa show dev "$2" | jq -r '.[].spi' | sort | xargs
}

replaced() {
	[ "$(spis "$1")" != "$2" ] && [ "$(of "$1" '.child != null')" = true ] &&
		[ "$(of "$1" .adopted)" = 0 ]
}

# none_left NS DEV SPI...: the kernel has none of these.
none_left() {
	local spi now
	now=$(kernel_spis "$1" "$2")
	for spi in "${@:3}"; do
		[[ " $now " != *" $spi "* ]] || return 1
	done
}

# all_left NS DEV SPI...: the kernel has all of these.
all_left() {
	local spi now
	now=$(kernel_spis "$1" "$2")
	for spi in "${@:3}"; do
		[[ " $now " = *" $spi "* ]] || return 1
	done
}

# one_pair NS DEV: one pair of SAs, none of a former agent.
one_pair() {
	[ "$(of "$1" .adopted)" = 0 ] && [ "$(kernel_spis "$1" "$2" | wc -w)" = 2 ]
}

# steady NS DEV: the same pair of SAs for a while: the other end did not begin an IKE SA of its own meanwhile.
steady() {
	local was
	was=$(kernel_spis "$1" "$2")
	one_pair "$1" "$2" && sleep 5 && [ "$(kernel_spis "$1" "$2")" = "$was" ]
}

cat_index() {
	ip -n "$1" -j link show "$2" | jq ".[0].ifindex"
}

# killed NS DEV ROLE: its agent dies, stays dead for a while, comes back, takes over.
killed() {
	local ns=$1 dev=$2 role=$3 pair before

	wait_for 60 one_pair "$ns" "$dev" || bail "$ns has more than one pair of SAs: $(kernel_spis "$ns" "$dev")"
	pair=$(spis "$ns")
	before=$(kernel_spis "$ns" "$dev")
	flow lana lanb 10.2.0.2 "$role-there"
	flow lanb lana 10.1.0.2 "$role-back"
	sleep 1
	agent_stop "$ns" KILL
	sleep 2
	is "$role: without agent the SAs remain" "$(kernel_spis "$ns" "$dev")" "$before"
	agent "$ns"
	like "$role: it takes the running SAs over" "$(said "$ns" 'taking over running SAs')" "$dev"
	is "$role: up at once" "$(of "$ns" .state)" up
	check "$role: the SAs are replaced" wait_for 40 replaced "$ns" "$pair"
	# shellcheck disable=SC2086 # words
	check "$role: the old ones are gone" wait_for 20 none_left "$ns" "$dev" $before
	sleep 1
	flow_end "$role-there"
	flow_end "$role-back"
	all_came "$role-there" "$role, LAN to LAN"
	all_came "$role-back" "$role, the other way"
}

killed gwa hq "initiator killed"
killed gwb branch "responder killed"

# ---- the processes of an agent ----------------------------------------------------------

# child_of PID NAME: its child of that name, or a child's.
child_of() {
	pgrep -P "$1" -x "$2" || pgrep -P "$(pgrep -d, -P "$1" -x 'esptund-k?spawn')" -x "$2"
}

another_ike() {
	local now
	now=$(child_of "${agent_pid[$1]}" esptund-ike) && [ "$now" != "$2" ]
}

# A call that it is to answer, at last.
another_ike_asked() {
	tell "$1" status > /dev/null
	another_ike "$1" "$2"
}

# ike_gets SIGNAL NS DEV ROLE HOW: the ike process dies or hangs, the agent starts another.
ike_gets() {
	local signal=$1 ns=$2 dev=$3 role="$4 $1" how=$5 pair before ike

	wait_for 20 one_pair "$ns" "$dev"
	pair=$(spis "$ns")
	before=$(kernel_spis "$ns" "$dev")
	flow lana lanb 10.2.0.2 "ike-$signal-there"
	flow lanb lana 10.1.0.2 "ike-$signal-back"
	sleep 1
	ike=$(child_of "${agent_pid[$ns]}" esptund-ike)
	check "$role: has an ike process" test -n "$ike"
	kill "-$signal" "$ike"
	check "$role: its agent starts another" wait_for 30 another_ike_asked "$ns" "$ike"
	check "$role: the former one is gone" gone "$ike"
	check "$role: its agent is the same" kill -0 "${agent_pid[$ns]}"
	like "$role: which is said" "$(said "$ns" 'process that speaks IKE')" "$how"
	check "$role: the SAs are replaced again" wait_for 40 replaced "$ns" "$pair"
	# shellcheck disable=SC2086 # words
	check "$role: the old ones go again" wait_for 20 none_left "$ns" "$dev" $before
	sleep 1
	flow_end "ike-$signal-there"
	flow_end "ike-$signal-back"
	all_came "ike-$signal-there" "$role to the ike process, LAN to LAN"
	all_came "ike-$signal-back" "$role to the ike process, the other way"
	rm -f /run/ike-"$signal"-*
}

ike_gets KILL gwa hq initiator 'has ended'
ike_gets KILL gwb branch responder 'has ended'
ike_gets STOP gwa hq initiator 'does not answer'
ike_gets STOP gwb branch responder 'does not answer'

another_keys() {
	local now
	now=$(child_of "${agent_pid[$1]}" esptund-keys) && [ "$now" != "$2" ]
}

# keys_get SIGNAL HOW: the responder's keys process dies or hangs just before the initiator, whose agent is
# a new one, proves its key to it.
keys_get() {
	local signal=$1 how=$2 role="keys process $1" pair before keys

	wait_for 60 one_pair gwa hq
	pair=$(spis gwa)
	before=$(kernel_spis gwa hq)
	flow lana lanb 10.2.0.2 "keys-$signal-there"
	flow lanb lana 10.1.0.2 "keys-$signal-back"
	sleep 1
	agent_stop gwa KILL
	keys=$(child_of "${agent_pid[gwb]}" esptund-keys)
	check "$role: there is one" test -n "$keys"
	kill "-$signal" "$keys"
	agent gwa
	check "$role: the SAs are replaced" wait_for 30 replaced gwa "$pair"
	# shellcheck disable=SC2086 # words
	check "$role: the old ones go" wait_for 20 none_left gwa hq $before
	check "$role: another takes its place" another_keys gwb "$keys"
	check "$role: the former one is gone" gone "$keys"
	like "$role: which is said" "$(said gwb 'process that has the keys')" "$how"
	is "$role: the initiator notices nothing" "$(said gwa 'does not hold|no answer|could not verify')" ""
	sleep 1
	flow_end "keys-$signal-there"
	flow_end "keys-$signal-back"
	all_came "keys-$signal-there" "$role, LAN to LAN"
	all_came "keys-$signal-back" "$role, the other way"
	rm -f /run/keys-"$signal"-*
}

keys_get KILL 'has ended'
keys_get STOP 'does not answer'

# Both keys processes were used, and keep nothing.
is "no process has the key, after all that" "$(pgrep esptund | in_memory "$AGENT_PSK")" ""

# Who starts ike processes is missed when the next one is needed: whoever started the agent acts.
flow lana lanb 10.2.0.2 spawn
sleep 1
pid=${agent_pid[gwa]}
ike=$(child_of "$pid" esptund-ike)
kill -KILL "$(child_of "$pid" esptund-spawn)"
sleep 1
check "without esptund-spawn the agent goes on" kill -0 "$pid"
kill -KILL "$ike"
check "it ends when an ike process is needed" wait_for 10 gone "$pid"
like "and says why" "$(said gwa 'cannot start the process')" 'has ended'
wait "$pid" 2> /dev/null
is "with a failure, for systemd to start it again" $? 1
cat "$VM_OUT/esptund-gwa.part" >> "$VM_OUT/esptund-gwa.log"
agent gwa
sleep 6
flow_end spawn
all_came spawn "agent started again for want of esptund-spawn"

# ---- an upgrade -----------------------------------------------------------------------------

flow lana lanb 10.2.0.2 restart
check "the agent started before has replaced the SAs that it took over" wait_for 60 one_pair gwa hq
before=$(kernel_spis gwa hq)
check "an agent ends on SIGTERM" agent_stop gwa
is "its SAs stay" "$(kernel_spis gwa hq)" "$before"
like "and its routes" "$(ip -n gwa route)" '10.2.0.0/24 dev hq'
is "the peer is not told" "$(of gwb .state)" up
agent gwa
sleep 6
wait_for 20 state_is gwa up
flow_end restart
all_came restart "agent restarted in good order"

# ---- another configuration, as it runs --------------------------------------------------------

# edit NS DEV SED...: its file becomes another one, and the agent reads it.
edit() {
	local ns=$1 dev=$2
	shift 2
	sed -i "$@" "/run/conf/$ns/$dev.conf"
	must tell "$ns" reload
}

wait_for 60 steady gwa hq
before=$(kernel_spis gwa hq)
index=$(cat_index gwa hq)
flow lana lanb 10.2.0.2 change-there
flow lanb lana 10.1.0.2 change-back
edit gwa hq -e '/Routes/ s/$/, 10.9.0.0\/24/' -e '$a Liveness = 7' -e '$a Keepalive = 9' -e '$a Rekey = 2h, 30m'
like "what changes as it runs: said" "$(said gwa 'as it runs')" hq
is "the SAs stay" "$(kernel_spis gwa hq)" "$before"
is "a route comes" "$(ip -n gwa route get 10.9.0.1 | grep -o 'dev [a-z]*')" "dev hq"
is "the kernel's peer has the keepalive" \
	"$(ip netns exec gwa esptun -j peer show dev hq | jq '.[0].keepalive')" 9
edit gwa hq 's/, 10.9.0.0.24//'
is "the route goes" "$(ip -n gwa route show 10.9.0.0/24)" ""
is "the SAs stay" "$(kernel_spis gwa hq)" "$before"
pair=$(spis gwa)
edit gwb branch '$a Crypto = aes128gcm16-x25519'
edit gwa hq '$a Crypto = aes128gcm16-x25519'
check "another algorithm: new SAs" wait_for 40 replaced gwa "$pair"
# shellcheck disable=SC2086 # words
check "the old ones go" wait_for 40 none_left gwa hq $before
# shellcheck disable=SC2086 # words
wait_for 40 one_pair gwa hq
like "the new ones have it" "$(ip netns exec gwa esptun -j sa show dev hq)" 128
before=$(kernel_spis gwa hq)
pair=$(spis gwa)
edit gwa hq "s/^PSK = .*/PSK = another-key-of-24-letters/"
# shellcheck disable=SC2086 # words
check "another key, of one end: the SAs stay" all_left gwa hq $before
sleep 2
edit gwb branch "s/^PSK = .*/PSK = another-key-of-24-letters/"
check "of both: new SAs" wait_for 90 replaced gwa "$pair"
# shellcheck disable=SC2086 # words
check "and the old ones go" wait_for 60 none_left gwa hq $before
sleep 1
flow_end change-there
flow_end change-back
all_came change-there "changed as it runs, LAN to LAN"
all_came change-back "changed as it runs, the other way"
is "the netdevice is the same" "$(cat_index gwa hq)" "$index"
pair=$(spis gwa)
edit gwb branch "s/^PSK = .*/PSK = $AGENT_PSK/"
edit gwa hq "s/^PSK = .*/PSK = $AGENT_PSK/"
wait_for 90 replaced gwa "$pair"

# ---- another configuration, meanwhile ---------------------------------------------------------

# A file that was written anew, but says the same of its peer, costs no SA.
check "one pair is left" wait_for 40 one_pair gwa hq
before=$(kernel_spis gwa hq)
agent_stop gwa
sed -i '1i # edited' /run/conf/gwa/hq.conf
sleep 0.1
agent gwa
# shellcheck disable=SC2086 # words
check "a comment was added meanwhile: the SAs are taken over" all_left gwa hq $before
check "and it comes up" wait_for 40 state_is gwa up
# shellcheck disable=SC2086 # words
check "with new ones" wait_for 60 none_left gwa hq $before

# Without the secret of the agent that made them, SAs are judged by their age.
check "one pair is left" wait_for 60 one_pair gwa hq
before=$(kernel_spis gwa hq)
agent_stop gwa
check "the agent left a secret" test -s /run/gwa.control.secret
rm /run/gwa.control.secret
agent gwa
like "its secret is lost, which is said" "$(said gwa 'secret')" 'its secret is lost'
# shellcheck disable=SC2086 # words
check "the SAs are taken over" all_left gwa hq $before
# shellcheck disable=SC2086 # words
check "and replaced" wait_for 60 none_left gwa hq $before
check "one pair is left" wait_for 60 one_pair gwa hq

# Who has lost its key keeps no SAs over a restart.
before=$(kernel_spis gwa hq)
agent_stop gwa
sed -i "s/^PSK = .*/PSK = another-key-of-24-letters/" /run/conf/gwa/hq.conf
# As a file has it that comes from a backup.
touch -d '1 day ago' /run/conf/gwa/hq.conf
agent gwa
# shellcheck disable=SC2086 # words
check "the key was changed meanwhile: the SAs are gone" wait_for 10 none_left gwa hq $before
like "which is said" "$(said gwa 'removed SAs')" 'the configuration was changed since'
sed -i "s/^PSK = .*/PSK = $AGENT_PSK/" /run/conf/gwa/hq.conf
must tell gwa reload
check "with the right key it is up again" wait_for 40 state_is gwa up

# ---- the end ----------------------------------------------------------------------------------

agent_stop gwa
mv /run/conf/gwa/hq.conf /run/conf/gwa/hq.away
agent gwa
check "a tunnel whose file went meanwhile is removed" no_link gwa hq
like "which is said" "$(said gwa 'hq.conf is gone')" 'removing this netdevice of a former agent'
mv /run/conf/gwa/hq.away /run/conf/gwa/hq.conf
must tell gwa up hq
check "down --all takes them all down" tell gwa down --all
check "no netdevice is left" no_link gwa hq
check "the peer is told" wait_for 5 state_is gwb down
check "and up brings one up again" tell gwa up hq
must tell gwa down --all
must tell gwb down --all
agent_stop gwa
agent_stop gwb
finish
