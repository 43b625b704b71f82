#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# vm-disk: bare
# vm-tier: full
# vm-timeout: 5400
#
# The packages of make deb on Debian as its installer leaves it: installed with the line README has, a
# tunnel that is up after a boot that nobody logs in to, an upgrade of everything under traffic that loses
# no packet, removed, purged. tests/install/deb has built them: PACKAGES, and PACKAGES-next with a higher version.

. "$VM_TOP/tests/vm/systemd.sh"
. "$VM_TOP/tests/vm/systemd/readme.sh"

# Not in the network: apt's cache has what they need.
install_packages() {
	apt-get -q -y --no-install-recommends "$@"
}

# gaps FILE: numbers of pings that were not answered, but for those behind the last answer.
gaps() {
	sed -n 's/.*icmp_seq=\([0-9]*\).*/\1/p' "$1" | sort -nu | awk '
		$1 != ++expected { print expected; expected = $1 }'
}

# named: every file of the disk with our name, but for what is not the packages'.
named() {
	find / -xdev \( -path /var/hq -o -path /var/log -o -path /var/cache -o -path /home \) -prune -o \
		-iname '*esptun*' -print | sort
}

agent_pid() {
	systemctl show -P MainPID esptund
}

boot 1 && {
	named > named
	must install_packages install "linux-headers-$(uname -r)"
	line=$(sed -n "s,^sudo apt \(install ./build/deb/[^#]*\).*,\1,p" "$VM_TOP/README.md" | sed "s,./build/deb,$PACKAGES,g")
	# shellcheck disable=SC2086 # a list, with patterns
	check "the packages of README are installed" install_packages $line || bail "nothing to go on with"
	check "the service runs" systemctl is-active esptund
	check "and will at boot" systemctl is-enabled esptund
	like "the module is DKMS's" "$(modinfo -F filename esptun)" '/updates/dkms/esptun.ko'
	check "it is loaded" test -d /sys/module/esptun
	begin_hq
	tunnel_from_readme
	reboot
}

is "no unit failed at boot" "$(booted)" ""
begin_hq
check "the tunnel is up after a boot without a login" pinged

ping -i 0.1 169.254.10.1 > ping.log 2>&1 &
ping=$!
before=$(agent_pid)
version=$(cat /sys/module/esptun/version)
# shellcheck disable=SC2046 # a list
check "an upgrade of all that is installed" install_packages install $(
	find "$PACKAGES-next" -name 'esptun_*.deb' -o -name 'esptun-dkms_*.deb') > upgrade.log 2>&1
cat upgrade.log
check "another agent runs" test "$(agent_pid)" != "$before"
check "and is ready" systemctl is-active esptund
like "the admin hears of the module" "$(< upgrade.log)" 'module esptun that is loaded stays'
is "which is the old one" "$(cat /sys/module/esptun/version)" "$version"
like "the next boot has the new one" "$(modinfo -F version esptun)" "^$version\."
up() {
	esptun status | grep -q '^hq: up'
}
check "the tunnel is up" wait_for 60 up
check "and works" pinged
sleep 2
kill -INT $ping
wait $ping
is "no packet was lost" "$(gaps ping.log | xargs)" ""
check "of enough" test "$(grep -c icmp_seq ping.log)" -gt 50

end_hq
check "removed" apt-get -q -y remove esptun esptun-dkms
refuse "the tunnel ended" 'does not exist' ip link show dev hq
is "and the service" "$(systemctl show -P LoadState esptund)" not-found
check "its configuration stays" test -e /etc/esptun/hq.conf
refuse "there is no module" 'not found' modprobe -n esptun
check "purged" apt-get -q -y purge esptun esptun-dkms
is "what the admin made is left, and nothing else" "$(comm -13 named <(named) | xargs)" "/etc/esptun"
check "with the tunnel" test -e /etc/esptun/hq.conf
is "no unit failed" "$(systemctl --failed --no-legend --plain)" ""
finish
