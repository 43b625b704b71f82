#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# vm-timeout: 300
#
# What is left to code that got into the agent, into the process that parses what the network
# sends, into the one that has the keys, or into the one that reads files.

. "$VM_TOP/tests/vm/lib.sh"
. "$VM_TOP/tests/vm/agent.sh"

load_esptun
add_ns alone
mkdir -p /opt/attack /run/conf/alone
touch /opt/attack/there
chmod 666 /opt/attack/there
must gcc -O1 -shared -fPIC -o /run/attack.so "$VM_LIB/attack.c"
start alone /run/socket.log "$PYTHON" -c 'import os, socket, time
os.umask(0o177)
s = socket.socket(socket.AF_UNIX)
s.bind("/run/root-only")
s.listen()
print("ready", flush=True)
time.sleep(1000)'
wait_for 10 holds /run/socket.log ready
sleep 1000 &
victim=$!
conf alone vpn0 <<-END
[Peer]
PSK = $AGENT_PSK
END

gone_all() {
	! pgrep esptund > /dev/null
}

# The agent writes the report, but only when something happens.
reported() {
	tell alone status > /dev/null
	holds "$1" "$2"
}

# attacked NAME [OPTION...]: an agent with the attacker inside; what it could do is in $done.
attacked() {
	local name=$1 log=$VM_OUT/esptund-alone.part who
	shift
	LD_PRELOAD=/run/attack.so ATTACK_DIR=/opt/attack ATTACK_SOCKET=/run/root-only ATTACK_PID=$victim \
		ATTACK_CONF=/run/conf/alone/vpn0.conf agent alone "$@"
	for who in esptund esptund-ike esptund-keys; do
		wait_for 10 reported "$log" "attack: $who: ends"
		check "$name: the attack in $who ran to its end" holds "$log" "attack: $who: ends"
	done
	sed -n 's/^attack/# attack/p' "$log"
	done=$(sed -n 's/^attack: esptund: \(.*\): DONE/\1/p' "$log" | xargs -d '\n')
	for who in ike keys; do
		is "$name: the $who process could do nothing" \
			"$(sed -n "s/^attack: esptund-$who: \(.*\): DONE/\1/p" "$log" | xargs -d '\n')" ""
	done
	check "$name: root's process lives" kill -0 $victim
	check "$name: the agent works" tell alone status
}

# As the unit starts it; further down by root with all it has.
mkdir /run/unit
bounds=$(sed -n 's/^CapabilityBoundingSet=//p' "$VM_TOP/userspace/dist/esptund.service" | tr '[:upper:]' '[:lower:]' |
	sed 's/cap_/+/g; s/ /,/g')
printf '#!/bin/sh\nexec setpriv --bounding-set=-all,%s /run/bin/esptund "$@"\n' "$bounds" > /run/unit/esptund
chmod +x /run/unit/esptund
PATH=/run/unit:$PATH attacked "with the unit's rights"
is "with the unit's rights: nothing could be done" "$done" ""
must agent_stop alone

agent alone
pid=${agent_pid[alone]}
reader=$(pgrep -x esptund-reader)
is "the agent is the user esptund in every respect" \
	"$(sed -n 's/^\(Uid\|Gid\|Groups\):\t//p' "/proc/$pid/status" | xargs)" \
	"$(printf "$(id -u esptund) %.0s" 1 2 3 4; printf "$(id -g esptund) %.0s" 1 2 3 4 | sed 's/ $//')"
is "nobody looks into its memory" "$(stat -c %U "/proc/$pid/mem")" root
is "its capabilities" "$(sed -n 's/^Cap\(Eff\|Prm\|Inh\|Amb\):\t//p' "/proc/$pid/status" | xargs)" \
	"0000000000000000 0000000000001000 0000000000001000 0000000000000000"
is "the reader has none" "$(sed -n 's/^Cap\(Eff\|Prm\|Inh\|Amb\):\t//p' "/proc/$reader/status" | xargs)" \
	"0000000000000000 0000000000000000 0000000000000000 0000000000000000"
is "both have a filter, and cannot gain rights" \
	"$(grep -hE '^(Seccomp|NoNewPrivs):' "/proc/$pid/status" "/proc/$reader/status" | cut -f2 | xargs)" "1 2 1 2"
is "the reader has no socket but the one to the agent" "$(find "/proc/$reader/fd" -lname 'socket:*' | wc -l)" 1

store=$(pgrep -x esptund-store)
is "who keeps leases has no capability" "$(sed -n 's/^Cap\(Eff\|Prm\|Inh\|Amb\):\t//p' "/proc/$store/status" | xargs)" \
	"0000000000000000 0000000000000000 0000000000000000 0000000000000000"
is "and has a filter" "$(grep -hE '^(Seccomp|NoNewPrivs):' "/proc/$store/status" | cut -f2 | xargs)" "1 2"
is "and another root" "$([ "$(stat -Lc %d:%i "/proc/$store/root/")" = "$(stat -Lc %d:%i /)" ]; echo $?)" 1
is "and one socket" "$(find "/proc/$store/fd" -lname 'socket:*' | wc -l)" 1

dns=$(pgrep -x esptund-dns)
is "who sets name servers has no capability" "$(sed -n 's/^Cap\(Eff\|Prm\|Inh\|Amb\):\t//p' "/proc/$dns/status" | xargs)" \
	"0000000000000000 0000000000000000 0000000000000000 0000000000000000"
is "and has a filter, too" "$(grep -hE '^(Seccomp|NoNewPrivs):' "/proc/$dns/status" | cut -f2 | xargs)" "1 2"
is "and one socket, too" "$(find "/proc/$dns/fd" -lname 'socket:*' | wc -l)" 1

# ---- the ike process and the keys process ------------------------------------------------

for kind in ike keys; do
	child=$(pgrep -x esptund-$kind)
	spawn=$(ps -o ppid= -p "$child" | xargs)
	for pid in "$child" "$spawn"; do
		name=$(cat "/proc/$pid/comm")
		is "$name is the user esptund-$kind in every respect" \
			"$(sed -n 's/^\(Uid\|Gid\):\t//p' "/proc/$pid/status" | xargs)" \
			"$(printf "$(id -u esptund-$kind) %.0s" 1 2 3 4; printf "$(id -g esptund-$kind) %.0s" 1 2 3 4 | sed 's/ $//')"
		is "$name has no other group" "$(sed -n 's/^Groups:[[:space:]]*//p' "/proc/$pid/status" | xargs)" ""
		is "$name has no capability" "$(sed -n 's/^Cap\(Eff\|Prm\|Inh\|Amb\):\t//p' "/proc/$pid/status" | xargs)" \
			"0000000000000000 0000000000000000 0000000000000000 0000000000000000"
		is "$name has a filter, and cannot gain rights" \
			"$(grep -hE '^(Seccomp|NoNewPrivs):' "/proc/$pid/status" | cut -f2 | xargs)" "1 2"
		is "nobody looks into the memory of $name" "$(stat -c %U "/proc/$pid/mem")" root
		is "$name has another root" "$([ "$(stat -Lc %d:%i "/proc/$pid/root/")" = "$(stat -Lc %d:%i /)" ]; echo $?)" 1
		is "$name has one socket" "$(find "/proc/$pid/fd" -lname 'socket:*' | wc -l)" 1
	done
	is "esptund-$kind has nothing else open" "$(find "/proc/$child/fd" -type l | wc -l)" 1
	is "it cannot open anything" \
		"$(sed -n 's/^Max open files *\([0-9]*\) *\([0-9]*\) .*/\1 \2/p' "/proc/$child/limits")" "4 4"
	is "its memory has a limit" \
		"$(sed -n 's/^Max address space *\([0-9]*\) *\([0-9]*\) .*/\1 \2/p' "/proc/$child/limits")" \
		"4294967296 4294967296"
done

fspawn=$(pgrep -x esptund-fspawn)
is "esptund-fspawn is the user esptund-fetch in every respect" \
	"$(sed -n 's/^\(Uid\|Gid\):\t//p' "/proc/$fspawn/status" | xargs)" \
	"$(printf "$(id -u esptund-fetch) %.0s" 1 2 3 4; printf "$(id -g esptund-fetch) %.0s" 1 2 3 4 | sed 's/ $//')"
is "it has no capability" "$(sed -n 's/^Cap\(Eff\|Prm\|Inh\|Amb\):\t//p' "/proc/$fspawn/status" | xargs)" \
	"0000000000000000 0000000000000000 0000000000000000 0000000000000000"
is "and a filter" "$(grep -hE '^(Seccomp|NoNewPrivs):' "/proc/$fspawn/status" | cut -f2 | xargs)" "1 2"
is "and another root" "$([ "$(stat -Lc %d:%i "/proc/$fspawn/root/")" = "$(stat -Lc %d:%i /)" ]; echo $?)" 1
is "and one socket, too" "$(find "/proc/$fspawn/fd" -lname 'socket:*' | wc -l)" 1
is "who fetches is not there while nothing is fetched" "$(pgrep -cx esptund-fetch)" 0

# ---- who has keys in the clear --------------------------------------------------------------

must tell alone reload > /dev/null
is "all processes are looked at" "$(pgrep -c esptund)" 9
is "none has the key, once it was read" "$(pgrep esptund | in_memory "$AGENT_PSK")" ""
is "though what they have is found" "$(pgrep esptund | in_memory INVALID_KE_PAYLOAD | wc -w)" 9

# ---- files are read all the same ---------------------------------------------------------

refuse "up reads a file that is root's" 'it waits for its peer' tell alone up vpn0 timeout 0
conf alone vpn1 <<-END
[Peer]
PSK = $AGENT_PSK
END
tell alone reload > /dev/null
is "reload, too" "$(tell alone -j status | jq -c '[.tunnels[].name]')" '["vpn0","vpn1"]'
echo 'Nonsense = 1' >> /run/conf/alone/vpn1.conf
refuse "a broken file is named with its line" 'vpn1.conf:3: .*Nonsense' tell alone reload
refuse "a path is no name of a tunnel" 'reads /etc/esptun/NAME.conf only' tell alone up ../alone/vpn0
kill -KILL "$reader"
refuse "without the reader: says so" 'process that reads the configuration has ended' tell alone reload
check "and the agent goes on" tell alone status
check "it ends well" agent_stop alone

agent alone
check "the reader ends with the agent" agent_stop alone
check "leaving no process behind" wait_for 5 gone_all
check "nor the control socket" test ! -e /run/alone.control

# ---- without the user ----------------------------------------------------------------------

must userdel esptund
attacked "root, for want of the user"
# Both are root's, in folders that are read for host names.
is "root, for want of the user: nothing can be changed or reached" "$done" \
	"read /etc/shadow read a tunnel's configuration"
like "which is said" "$(said alone 'no user esptund')" 'useradd --system'
agent_stop alone
finish
