#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# vm-disk: bare
# vm-tier: full
# vm-timeout: 5400
#
# README as a whole, as a new user types it, on Debian as its installer leaves it: from
# `apt install git make sudo` by way of a build and DKMS to a tunnel, which is there again
# after a reboot, and to a system that nothing of it is left on. (make demo and make check
# are not run here: this is one of their tests.)

. "$VM_TOP/tests/vm/systemd.sh"
. "$VM_TOP/tests/vm/systemd/readme.sh"

tree=/home/user/esptun

# as_user COMMAND...: in the clone, by a user who may use sudo.
as_user() {
	su - user -c "cd $tree && $*"
}

# unpack: a clone of the tree, without what was built in it and without a network.
unpack() {
	mkdir -p $tree
	tar -C "$VM_TOP" --exclude=./build --exclude=./.git -c . | tar -C $tree -x --no-same-owner
	git -C $tree -c init.defaultBranch=main init -q
	chown -R user:user /home/user
}

# named: every file of the disk with our name, but for the clone, the logs and the configuration.
named() {
	find / -xdev \( -path $tree -o -path /var/hq -o -path /var/log -o -path /etc/esptun \) -prune -o \
		-iname '*esptun*' -print | sort
}

boot 1 && {
	named > named
	is "no unit failed at boot" "$(booted)" ""
	useradd -m -s /bin/bash user
	check "what README has root install" follow "$(block_after 'On a fresh Debian 12, as root:')" ||
		bail "nothing to go on with"
	echo 'user ALL=(ALL) NOPASSWD: ALL' > /etc/sudoers.d/user
	must unpack
	before=$(dpkg-query -f '.\n' -W | wc -l)
	check "from make deps to the running service" follow "$(block_after 'On each host, in a clone')" as_user ||
		bail "nothing is installed"
	echo "# make deps installed $(($(dpkg-query -f '.\n' -W | wc -l) - before)) packages"
	check "which has installed some 70 packages" test $(($(dpkg-query -f '.\n' -W | wc -l) - before)) -lt 80
	is "nothing else listens on IKE's port" "$(ss -Hlnup 'sport = 500' | grep -vc esptund)" 0
	check "the service runs" systemctl is-active esptund
	like "the module is DKMS's" "$(modinfo -F filename esptun)" '/updates/dkms/esptun.ko'
	like "and signed with DKMS's own key" "$(modinfo -F signer esptun)" '^DKMS module signing key$'
	begin_hq
	tunnel_from_readme
	reboot
}

is "no unit failed at boot" "$(booted)" ""
begin_hq
check "the tunnel is up again after a reboot" pinged
end_hq
check "README's way back" follow "$(block_after 'This undoes it;')" as_user
check "the service is gone" [ "$(systemctl show -P LoadState esptund)" = not-found ]
is "dkms has nothing to complain of" "$(dkms status 2>&1)" ""
refuse "there is no module" 'not found' modprobe -n esptun
is "nothing is left but the configuration" "$(comm -13 named <(named))" ""
check "that one is" test -e /etc/esptun/hq.conf
finish
