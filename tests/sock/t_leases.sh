#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# esptund itself, without a kernel module (no_module.c), as hub of two strongSwan clients: leases are
# kept by a process of its own and outlive the agent, also that of a client that is not connected.

. "$VM_TOP/tests/vm/lib.sh"
. "$VM_TOP/tests/sock/strongswan.sh"

three_hosts
charon
hub <<-END
	[Pool]
	Range = 10.9.0.2-10.9.0.9
END
client alice 'vips = 0.0.0.0'
client bob 'vips = 0.0.0.0'
load_swan

# Sanitizers make system calls that no confined process may make.
esptund=$(cd "$VM_TOP" && realpath "${B:-build}/tests/esptund-no-module")
esptun=$(cd "$VM_TOP" && realpath "${B:-build}/esptun")
file=/run/state/hub.leases

hub_starts() {
	start west "$VM_OUT/agent-$1.log" "$esptund" --config /run/conf/west \
		--socket /run/agent.sock --state /run/state --foreground
	agent=$started
	wait_for 20 grep -q 'ready' "$VM_OUT/agent-$1.log" || bail "the agent does not start: $(cat "$VM_OUT/agent-$1.log")"
}

hub_ends() {
	kill "-$1" "$agent"
	wait_for 15 gone "$agent"
}

# leases: "ADDRESS STATE IDENTITY" of each.
leases() {
	"$esptun" -control /run/agent.sock -j pool show hub |
		jq -r '.pools[0].leases[] | .address + " " + .state + " " + .id' | xargs
}

hub_starts 1
check "alice comes" quietly swan --initiate --child alice --timeout 10
is "and is listed" "$(leases)" "10.9.0.2 online alice.client.example"
check "alice goes" quietly swan --terminate --ike alice --timeout 10
check "her lease waits" wait_for 5 eval '[ "$(leases)" = "10.9.0.2 offline alice.client.example" ]'
check "the agent ends" hub_ends TERM
is "the file is there, for root alone" "$(stat -c %a "$file")" 600
like "with her lease" "$(cat "$file")" '^10\.9\.0\.2 [0-9]* 02000000'

hub_starts 2
is "the next agent knows it" "$(leases)" "10.9.0.2 offline alice.client.example"
check "bob comes" quietly swan --initiate --child bob --timeout 10
check "alice comes again" quietly swan --initiate --child alice --timeout 10
is "each has an address of its own, she the one she had" "$(leases)" \
	"10.9.0.3 online bob.client.example 10.9.0.2 online alice.client.example"
top=$(timeout 20 "$esptun" -control /run/agent.sock top -n 2 -d 0.2)
is "esptun top: two tables" "$(grep -c '^NAME ' <<< "$top")" 2
is "with both clients below their hub" "$(tail -n 3 <<< "$top" | awk '{print $1, $2}' | xargs)" \
	"hub up alice.client.example up bob.client.example up"
is "the same as JSON" "$(timeout 20 "$esptun" -control /run/agent.sock -j top -n 2 -d 0.2 |
	jq -c '[.interval < 10, .tunnels[0].name, [.tunnels[0].clients[].id]]' | uniq)" \
	'[true,"hub",["alice.client.example","bob.client.example"]]'
# On a terminal: a screen of its own, sorted by another column at a key, and the terminal as before at the end.
for end in q:0 '!:241'; do
	screen=$("$VM_TOP/tests/sock/on_terminal.py" "ss${end%:*}" "$esptun" -control /run/agent.sock top -d 0.2)
	is "esptun top on a terminal ends with ${end%:*}" $? "${end#*:}"
	is "its screen goes, and the cursor comes back" "$(tail -c 20 <<< "$screen" | grep -c '1049l$')" 1
	is "a key sorts by the next column" "$(grep -o 'sorted by rate [a-z]*' <<< "$screen" | uniq | xargs)" \
		"sorted by rate in sorted by rate out"
done
# The agent goes on without the hub, whose leases of a moment ago are kept.
mv /run/conf/west/hub.conf /run/hub.conf
check "the hub is removed" quietly "$esptun" -control /run/agent.sock reload
check "its leases are written" wait_for 10 eval '[ "$(grep -c ^10 "$file")" = 2 ]'
mv /run/hub.conf /run/conf/west/hub.conf
check "and comes back" wait_for 10 eval '"$esptun" -control /run/agent.sock reload | grep -q hub'
like "with both leases" "$(leases)" "10.9.0.2 offline alice.client.example"
like "and the one that was new" "$(leases)" "10.9.0.3 offline bob.client.example"
check "bob comes again" quietly swan --initiate --child bob --timeout 10
check "and alice" quietly swan --initiate --child alice --timeout 10
is "as they were" "$(leases)" \
	"10.9.0.3 online bob.client.example 10.9.0.2 online alice.client.example"
check "it is written while the agent runs" wait_for 20 eval '[ "$(grep -c ^10 "$file")" = 2 ]'
check "the agent is killed" hub_ends KILL
swan --terminate --ike alice --force --timeout 1 > /dev/null 2>&1
swan --terminate --ike bob --force --timeout 1 > /dev/null 2>&1

# Cut off in the middle, by whatever.
head -c $(($(stat -c %s "$file") - 30)) "$file" > "$file.cut"
mv "$file.cut" "$file"
hub_starts 3
check "a damaged file is told by its line" wait_for 5 \
	grep -q "hub.leases are damaged, line 3: expected .*hub.leases.damaged" "$VM_OUT/agent-3.log"
check "and put aside" test -e "$file.damaged"
is "what stands before counts" "$(leases)" "10.9.0.3 offline bob.client.example"
check "alice gets an address all the same" quietly swan --initiate --child alice --timeout 10
is "which is the first one again" "$(leases)" \
	"10.9.0.3 offline bob.client.example 10.9.0.2 online alice.client.example"
check "the agent ends in peace" hub_ends TERM
unlike "no process was stopped by its filter" "$(cat "$VM_OUT"/agent-*.log)" 'not in the allow-list'
finish
