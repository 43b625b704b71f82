// SPDX-License-Identifier: LGPL-2.1-or-later
/* Links of kind esptun, over rtnetlink. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <linux/rtnetlink.h>

#include "lib/internal.h"

/* <linux/if.h>, which <net/if.h> excludes: octets of an alternative name, with NUL */
#ifndef ALTIFNAMSIZ
#define ALTIFNAMSIZ 128
#endif

static struct ifinfomsg link_header(const struct esptun_link *link)
{
	struct ifinfomsg ifi = { .ifi_family = AF_UNSPEC };

	if (link && (link->has & ESPTUN_LINK_HAS_UP)) {
		ifi.ifi_flags = link->up ? IFF_UP : 0;
		ifi.ifi_change = IFF_UP;
	}
	return ifi;
}

int esptun_link_add(struct esptun *h, const struct esptun_link *link, uint32_t *ifindex)
{
	struct ifinfomsg ifi = link_header(link);
	struct esptun_link made;
	struct request rq = { 0 };
	int err = esptun_request_rtnl(h, &rq, RTM_NEWLINK, NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL,
				      &ifi, sizeof(ifi), "cannot add link");

	if (!err)
		err = esptun_request_run(h, &rq, esptun_link_encode(rq.msg, link));
	if (err || !ifindex)
		return err;
	err = esptun_link_get(h, link->name, &made);
	*ifindex = made.ifindex;
	return err;
}

int esptun_link_set(struct esptun *h, const struct esptun_link *link)
{
	struct ifinfomsg ifi = link_header(link);
	struct esptun_link body = *link;
	struct request rq = { 0 };
	int err;

	ifi.ifi_index = (int)link->ifindex;
	body.name[0] = '\0'; /* the index names it; a name would rename */
	err = esptun_request_rtnl(h, &rq, RTM_NEWLINK, NLM_F_ACK, &ifi, sizeof(ifi),
				  "cannot change link");
	return err ? err : esptun_request_run(h, &rq, esptun_link_encode(rq.msg, &body));
}

int esptun_link_del(struct esptun *h, uint32_t ifindex)
{
	struct ifinfomsg ifi = link_header(NULL);
	struct request rq = { 0 };
	int err;

	ifi.ifi_index = (int)ifindex;
	err = esptun_request_rtnl(h, &rq, RTM_DELLINK, NLM_F_ACK, &ifi, sizeof(ifi),
				  "cannot delete link");
	return err ? err : esptun_request_run(h, &rq, 0);
}

static int reply_link(const struct nlmsghdr *nlh, size_t len, void *arg)
{
	int err = esptun_link_decode(nlh, len, arg);

	return err == -ENOMSG ? -EMEDIUMTYPE : err;
}

int esptun_link_get(struct esptun *h, const char *name, struct esptun_link *link)
{
	struct ifinfomsg ifi = link_header(NULL);
	struct request rq = { .reply = reply_link, .arg = link };
	size_t len = strlen(name);
	int err;

	memset(link, 0, sizeof(*link));
	if (!len || len >= ALTIFNAMSIZ)
		return esptun_set_error(h, -ENODEV, "\"%s\" is not a device name", name);
	err = esptun_request_rtnl(h, &rq, RTM_GETLINK, NLM_F_ACK, &ifi, sizeof(ifi),
				  "cannot read link");
	if (err)
		return err;
	err = nla_put_string(rq.msg, len < IFNAMSIZ ? IFLA_IFNAME : IFLA_ALT_IFNAME, name) < 0
		      ? -EMSGSIZE
		      : 0;
	err = esptun_request_run(h, &rq, err);
	if (err == -ENODEV)
		esptun_set_error(h, err,
				 "no device \"%s\"; make it with: ip link add %s type esptun", name,
				 name);
	else if (err == -EMEDIUMTYPE)
		esptun_set_error(h, err, "device \"%s\" is not an esptun link", name);
	return err;
}

static int reply_links(const struct nlmsghdr *nlh, size_t len, void *arg)
{
	struct list *l = arg;
	struct esptun_link link, *item;
	int err = esptun_link_decode(nlh, len, &link);

	if (err)
		return err == -ENOMSG ? 0 : err;
	item = esptun_list_add(l);
	if (!item)
		return -ENOMEM;
	*item = link;
	return 0;
}

int esptun_link_dump(struct esptun *h, struct esptun_link **links, size_t *n)
{
	struct list l = { .item_size = sizeof(struct esptun_link), .reply = reply_links };
	struct ifinfomsg ifi = link_header(NULL);
	struct request rq;
	int err;

	do {
		rq = (struct request){ 0 };
		err = esptun_request_rtnl(h, &rq, RTM_GETLINK, NLM_F_DUMP, &ifi, sizeof(ifi),
					  "cannot list links");
	} while (esptun_dump_again(h, &l, &rq, err, &err));
	*links = l.items;
	*n = l.n;
	return err;
}
