#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# vm-tier: full
# vm-timeout: 200
#
# Batches of one SA on two CPUs: some are opened on the other one, and what is
# delivered stays in order. With one CPU none moves.

# shellcheck source=tests/vm/lib.sh
. "$VM_TOP/tests/vm/lib.sh"

cpu1=/sys/devices/system/cpu/cpu1/online
trace=/sys/kernel/tracing

# How often a worker ran jobs.
workers() {
	grep -c spread_work $trace/trace
}

# See esptun_sas.
WINDOW=16384
two_hosts
load_esptun
static_east aes-gcm-256 on
static_west aes-gcm-256 on
check "the tunnel carries packets" wait_for 20 pings west 10.9.0.2
echo 1 > $trace/events/workqueue/workqueue_execute_start/enable

include order "$PYTHON" "$VM_LIB/spread_cases.py"
echo "# jobs were run $(workers) times"
check "batches were opened on both" test "$(workers)" -gt 0
check "TCP, both ways" iperf west east 10.9.0.2 -t 4 -P 2 --bidir
is "nothing was dropped on receipt" "$(dropped_on_receipt east)" ''

must at west ping -q -c 3 -i 0.2 10.9.0.2
echo > $trace/trace
must at west ping -q -c 20 -i 0.05 10.9.0.2
is "a machine that has time keeps packets where they are" "$(workers)" 0

echo 0 > $cpu1
check "TCP, one CPU" iperf west east 10.9.0.2 -t 2
is "all of it stayed there" "$(workers)" 0
echo 1 > $cpu1

# While the other CPU comes and goes, what it was given is done.
(for _ in 1 2 3 4 5; do
	echo 0 > $cpu1
	sleep 0.3
	echo 1 > $cpu1
	sleep 0.3
done) &
check "TCP, the other CPU comes and goes" iperf west east 10.9.0.2 -t 4
wait $!
is "nothing was dropped on receipt" "$(dropped_on_receipt east)" ''
check "rmmod" timeout -k 1 60 rmmod esptun
finish
