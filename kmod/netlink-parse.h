/* SPDX-License-Identifier: GPL-2.0 */
/*
 * From netlink attributes to the parameters of the objects. Every refusal has
 * a text that names the attribute, and points at it where there is one.
 */
#ifndef ESPTUN_NETLINK_PARSE_H
#define ESPTUN_NETLINK_PARSE_H

#include "peer.h"
#include "sa.h"

struct genl_info;
struct netlink_ext_ack;
struct nlattr;

/**
 * struct esptun_sa_request - the "sa" attribute of a request
 * @p: what the request says; its keys point into the request
 * @tb: attributes inside, for pointing at
 * @ts: memory of the selectors, or NULL
 *
 * esptun_netlink_parse_sa_end() frees it.
 */
struct esptun_sa_request {
	struct esptun_sa_params p;
	struct nlattr *tb[ESPTUN_SA_A_MAX + 1];
	struct esptun_ts *ts;
};

/* Which parts of the "sa" attribute a request must have. */
#define ESPTUN_NEED_SPI BIT(0)
#define ESPTUN_NEED_DIR BIT(1)
#define ESPTUN_NEED_PEER BIT(2)
#define ESPTUN_NEED_KEY BIT(3)
/* Besides, it may hold only what can be changed: limits and selectors. */
#define ESPTUN_ONLY_CHANGES BIT(5)
/* What names one SA: the peer too if it is an outbound one. */
#define ESPTUN_NEED_NAME (ESPTUN_NEED_SPI | ESPTUN_NEED_DIR | BIT(4))

/**
 * esptun_netlink_parse_peer - read the "peer" attribute
 * @info: request
 * @params: result; params->present says what was there
 *
 * Return: 0 or -EINVAL.
 */
int esptun_netlink_parse_peer(struct genl_info *info,
			      struct esptun_peer_params *params);

/**
 * esptun_netlink_parse_sa - read the "sa" attribute
 * @info: request
 * @req: result, to be ended on success
 * @need: ESPTUN_NEED_*
 *
 * May sleep. Return: 0, -EINVAL, -EOPNOTSUPP, -E2BIG or -ENOMEM.
 */
int esptun_netlink_parse_sa(struct genl_info *info,
			    struct esptun_sa_request *req, unsigned int need);

void esptun_netlink_parse_sa_end(struct esptun_sa_request *req);

/**
 * struct esptun_ike_request - the "ike" attribute of a request
 * @local: source, no address if not given
 * @remote: destination
 * @data: the IKE message, inside the request
 * @len: octets
 */
struct esptun_ike_request {
	struct esptun_endpoint local;
	struct esptun_endpoint remote;
	const void *data;
	unsigned int len;
};

/* Read the "ike" attribute. Return: 0 or -EINVAL. */
int esptun_netlink_parse_ike(struct genl_info *info,
			     struct esptun_ike_request *req);

#endif /* ESPTUN_NETLINK_PARSE_H */
