#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# A hub with some clients: all connect, get new keys at once, and are back after the agent's restart and after a
# reboot. The small sister of make scale, so that it keeps working; tests/sock/scale has what is done.

# shellcheck disable=SC2154 # $VM_OUT: tests/sock/run
. "$VM_TOP/tests/vm/lib.sh"

CLIENTS=${CLIENTS:-30}
built=$(cd "$VM_TOP" && realpath "${B:-build}/tests")
MANY_PEERS_INSIDE=1 "$PYTHON" "$VM_TOP/tests/sock/scale" --clients "$CLIENTS" --liveness 5 --within 75 --json "$VM_OUT/scale.json" \
	"$built" > "$VM_OUT/scale.log" 2>&1
is "all clients did all of it, within the time" "$?" 0
sed 's/^/# /' "$VM_OUT/scale.log"
rows=$(jq -r '.rows[] | "\(.what): \(.clients)"' "$VM_OUT/scale.json")
is "connected, rekeyed, back after the restart, back after the reboot" "$rows" "connect: $CLIENTS
rekey all IKE SAs and child SAs at once: $CLIENTS
agent restarted: $CLIENTS
hub rebooted: $CLIENTS"
check "the processor time and the memory of the hub's processes were measured" \
	test "$(jq 'all(.rows[]; .peak_mb > 5) and ([.rows[].cpu_s] | add) > 0' "$VM_OUT/scale.json")" = true
finish
