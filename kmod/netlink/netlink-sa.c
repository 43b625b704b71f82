// SPDX-License-Identifier: GPL-2.0
#include <linux/mm.h>
#include <linux/slab.h>
#include <net/genetlink.h>
#include <net/ip.h>
#include "link.h"
#include "netlink/netlink-object.h"
#include "sa/peer.h"
#include "sa/sa.h"
#include "sa/timer.h"

/* ---- selectors ----------------------------------------------------------- */

#define TS_PREFIX_LEN BIT(0)
#define TS_PORT_START BIT(1)
#define TS_PORT_END BIT(2)
#define TS_PORTS (TS_PORT_START | TS_PORT_END)

/* clang-format off */
#define TS(bit) .may = ESPTUN_REQ_ANY, .show = ESPTUN_SHOW_ALL, .present = (bit)

static const struct esptun_attr ts_attrs[] = {
	{ ATTR_INNER(ESPTUN_TS_A_ADDRESS, struct esptun_ts, addr, family), TS(0),
	  .must = ESPTUN_REQ_ANY, .missing = "traffic selector: address is missing",
	  .wrong = "traffic selector: address must have 4 or 16 octets" },
	{ ATTR_U8(ESPTUN_TS_A_PREFIX_LEN, struct esptun_ts, plen), TS(TS_PREFIX_LEN) },
	{ ATTR_U8(ESPTUN_TS_A_PROTOCOL, struct esptun_ts, proto), TS(0) },
	{ ATTR_PORT(ESPTUN_TS_A_PORT_START, struct esptun_ts, port_lo), TS(TS_PORT_START) },
	{ ATTR_PORT(ESPTUN_TS_A_PORT_END, struct esptun_ts, port_hi), TS(TS_PORT_END) },
};
/* clang-format on */

static const struct esptun_attr_table ts_table = {
	.rows = ts_attrs,
	.n = ARRAY_SIZE(ts_attrs),
	.max = ESPTUN_TS_A_MAX,
};

static int parse_ts(const struct nlattr *nest, struct esptun_ts *ts,
		    struct netlink_ext_ack *extack)
{
	struct nlattr *tb[ESPTUN_TS_A_MAX + 1];
	const char *why_not;
	u32 present = 0;
	u16 at;
	int err;

	err = esptun_attr_parse(&ts_table, nest, tb, ESPTUN_REQ_NEW, ts,
				&present, extack);
	if (err)
		return err;
	if (!(present & TS_PREFIX_LEN))
		ts->plen = esptun_ts_addr_bits(ts->family);
	ts->any_port = !(present & TS_PORTS);
	if (!ts->any_port && (present & TS_PORTS) != TS_PORTS)
		return esptun_attr_refuse(
			tb[ESPTUN_TS_A_PORT_START] ?: tb[ESPTUN_TS_A_PORT_END],
			"traffic selector: port-start and port-end go together",
			extack);
	why_not = esptun_ts_check(ts, &at);
	return why_not ? esptun_attr_refuse(tb[at], why_not, extack) : 0;
}

/* Both sides' selectors, each side in the order given, our side in front. */
static int parse_ts_lists(const struct nlattr *nest,
			  struct esptun_sa_request *req,
			  struct netlink_ext_ack *extack)
{
	struct esptun_ts *local = req->ts;
	struct esptun_ts *remote = req->ts + req->p.ts.n_local;
	const struct nlattr *attr;
	int err, rem;

	req->p.ts.local = local;
	req->p.ts.remote = remote;
	nla_for_each_nested(attr, nest, rem) {
		if (nla_type(attr) == ESPTUN_SA_A_TS_LOCAL)
			err = parse_ts(attr, local++, extack);
		else if (nla_type(attr) == ESPTUN_SA_A_TS_REMOTE)
			err = parse_ts(attr, remote++, extack);
		else
			continue;
		if (err)
			return err;
	}
	return 0;
}

static int parse_selectors(const struct nlattr *nest,
			   struct esptun_sa_request *req,
			   struct netlink_ext_ack *extack)
{
	struct esptun_ts_lists *ts = &req->p.ts;
	const struct nlattr *attr;
	int rem;

	if (!(req->p.present & (ESPTUN_SA_TS_LOCAL | ESPTUN_SA_TS_REMOTE)))
		return 0;
	nla_for_each_nested(attr, nest, rem) {
		ts->n_local += nla_type(attr) == ESPTUN_SA_A_TS_LOCAL;
		ts->n_remote += nla_type(attr) == ESPTUN_SA_A_TS_REMOTE;
		if (ts->n_local > ESPTUN_TS_MAX ||
		    ts->n_remote > ESPTUN_TS_MAX) {
			esptun_attr_refuse(
				attr, "traffic selectors: at most 256 a side",
				extack);
			return -E2BIG;
		}
	}
	req->ts = kvcalloc(ts->n_local + ts->n_remote, sizeof(*req->ts),
			   GFP_KERNEL);
	if (!req->ts)
		return -ENOMEM;
	return parse_ts_lists(nest, req, extack);
}

static int put_ts(struct sk_buff *msg, int type, const struct esptun_ts *ts,
		  unsigned int n)
{
	const struct esptun_ts *end = ts + n;
	struct nlattr *nest;
	u32 present;

	for (; ts < end; ts++) {
		present = TS_PREFIX_LEN | (ts->any_port ? 0 : TS_PORTS);
		nest = nla_nest_start(msg, type);
		if (!nest || esptun_attr_put(&ts_table, msg, ESPTUN_SHOW_ALL,
					     ts, present))
			return -EMSGSIZE;
		nla_nest_end(msg, nest);
	}
	return 0;
}

/* ---- the SA -------------------------------------------------------------- */

/* As with peers, what requests say is a part of what messages say. */
struct sa_report {
	struct esptun_sa_params p;
	u8 state;
	u16 key_len;
	const char *driver;
	char driver_name[ESPTUN_DRIVER_MAX];
	u64 packets;
	u64 bytes;
	u64 age;
	u64 last_used;
};

/* What names one SA, an outbound one together with its peer. */
#define NAMED (ESPTUN_REQ_CHANGE | ESPTUN_REQ_NAME)

/* clang-format off */
#define R struct sa_report
#define NAME(requests) .may = (requests), .show = ESPTUN_SHOW_BRIEF
/* What a new SA has for good. */
#define FIXED .may = ESPTUN_REQ_NEW
/* What a new SA has and another one gets; nothing that names it. */
#define SETTING .may = ESPTUN_REQ_CHANGE, .show = ESPTUN_SHOW_ALL
#define LIMIT(which, unit) \
	.may = ESPTUN_REQ_CHANGE, .show = ESPTUN_SHOW_ALL, .present = ESPTUN_LIMIT_##which(unit)
#define SECONDS .max = U32_MAX, .wrong = "time limit: at most 4294967295 seconds"
#define KEY .max = ESPTUN_KEY_MAX, .wrong = "key: at most 64 octets"

static const struct esptun_attr sa_attrs[] = {
	{ ATTR_BE32(ESPTUN_SA_A_SPI, R, p.spi), NAME(NAMED | ESPTUN_REQ_SPI),
	  .must = NAMED, .missing = "spi is missing",
	  .min = ESPTUN_SPI_MIN, .max = U32_MAX, .wrong = "spi: must be 256 or more (RFC 4303 2.1)" },
	{ ATTR_U8(ESPTUN_SA_A_DIR, R, p.dir), NAME(NAMED | ESPTUN_REQ_SPI),
	  .must = NAMED, .missing = "dir is missing" },
	{ ATTR_U32(ESPTUN_SA_A_PEER, R, p.peer), NAME(ESPTUN_REQ_ANY),
	  .must = ESPTUN_REQ_NEW | ESPTUN_REQ_SPI | ESPTUN_REQ_FLUSH, .missing = "peer is missing",
	  .min = 1, .max = U32_MAX, .wrong = "peer: must not be 0" },
	{ ATTR_U8(ESPTUN_SA_A_STATE, R, state), .show = ESPTUN_SHOW_BRIEF },
	{ ATTR_U8(ESPTUN_SA_A_MODE, R, p.mode), FIXED, .show = ESPTUN_SHOW_KEYED },
	{ ATTR_U16(ESPTUN_SA_A_ENCR, R, p.encr), FIXED, .show = ESPTUN_SHOW_KEYED,
	  .must = ESPTUN_REQ_NEW, .missing = "encr is missing" },
	{ ATTR_U16(ESPTUN_SA_A_INTEG, R, p.integ), FIXED, .show = ESPTUN_SHOW_KEYED,
	  .present = ESPTUN_SA_INTEG },
	{ ATTR_BYTES(ESPTUN_SA_A_ENCR_KEY, R, p.keys.encr, p.keys.encr_len), FIXED, KEY,
	  .show = ESPTUN_SHOW_KEYS },
	{ ATTR_BYTES(ESPTUN_SA_A_INTEG_KEY, R, p.keys.integ, p.keys.integ_len), FIXED, KEY,
	  .show = ESPTUN_SHOW_KEYS, .present = ESPTUN_SA_INTEG_KEY },
	{ ATTR_U16(ESPTUN_SA_A_KEY_LEN, R, key_len), .show = ESPTUN_SHOW_KEYED },
	{ ATTR_U8(ESPTUN_SA_A_ESN, R, p.esn), FIXED, .show = ESPTUN_SHOW_KEYED },
	{ ATTR_STRING(ESPTUN_SA_A_DRIVER, R, driver), .show = ESPTUN_SHOW_KEYED },
	{ ATTR_U32(ESPTUN_SA_A_REPLAY_WINDOW, R, p.replay_window), FIXED,
	  .show = ESPTUN_SHOW_KEYED, .present = ESPTUN_SA_REPLAY_WINDOW,
	  .max = ESPTUN_REPLAY_WINDOW_MAX, .wrong = "replay-window: at most 65536 packets" },
	{ ATTR_U64(ESPTUN_SA_A_SOFT_BYTES, R, p.limits.soft[ESPTUN_BYTES]), LIMIT(SOFT, ESPTUN_BYTES) },
	{ ATTR_U64(ESPTUN_SA_A_HARD_BYTES, R, p.limits.hard[ESPTUN_BYTES]), LIMIT(HARD, ESPTUN_BYTES) },
	{ ATTR_U64(ESPTUN_SA_A_SOFT_PACKETS, R, p.limits.soft[ESPTUN_PACKETS]), LIMIT(SOFT, ESPTUN_PACKETS) },
	{ ATTR_U64(ESPTUN_SA_A_HARD_PACKETS, R, p.limits.hard[ESPTUN_PACKETS]), LIMIT(HARD, ESPTUN_PACKETS) },
	{ ATTR_U64(ESPTUN_SA_A_SOFT_TIME, R, p.limits.soft[ESPTUN_TIME]), LIMIT(SOFT, ESPTUN_TIME), SECONDS },
	{ ATTR_U64(ESPTUN_SA_A_HARD_TIME, R, p.limits.hard[ESPTUN_TIME]), LIMIT(HARD, ESPTUN_TIME), SECONDS },
	{ ATTR_U64(ESPTUN_SA_A_SOFT_USE_TIME, R, p.limits.soft[ESPTUN_USE_TIME]),
	  LIMIT(SOFT, ESPTUN_USE_TIME), SECONDS },
	{ ATTR_U64(ESPTUN_SA_A_HARD_USE_TIME, R, p.limits.hard[ESPTUN_USE_TIME]),
	  LIMIT(HARD, ESPTUN_USE_TIME), SECONDS },
	{ ATTR_U32(ESPTUN_SA_A_TFC, R, p.tfc), SETTING,
	  .present = ESPTUN_SA_TFC,
	  .max = IP_MAX_MTU, .special = ESPTUN_TFC_MTU, .wrong = "tfc: at most 65535 octets, or 4294967295 for what fits" },
	{ ATTR_U32(ESPTUN_SA_A_DUMMY, R, p.dummy), SETTING,
	  .present = ESPTUN_SA_DUMMY,
	  .max = ESPTUN_DUMMY_MAX, .wrong = "dummy: at most 1000 packets a second" },
	/* A new SA may go on where another one stopped. */
	{ ATTR_U64(ESPTUN_SA_A_SEQ, R, p.seq), FIXED, .show = ESPTUN_SHOW_ALL,
	  .present = ESPTUN_SA_SEQ },
	{ ATTR_U32(ESPTUN_SA_A_CPU, R, p.cpu), FIXED, .show = ESPTUN_SHOW_ALL,
	  .present = ESPTUN_SA_CPU },
	{ ATTR_OUTER(ESPTUN_SA_A_NAT_OA_LOCAL, R, p.nat_oa.local), FIXED,
	  .show = ESPTUN_SHOW_ALL, .present = ESPTUN_SA_NAT_OA_LOCAL },
	{ ATTR_OUTER(ESPTUN_SA_A_NAT_OA_REMOTE, R, p.nat_oa.remote), FIXED,
	  .show = ESPTUN_SHOW_ALL, .present = ESPTUN_SA_NAT_OA_REMOTE },
	{ ATTR_U64(ESPTUN_SA_A_PACKETS, R, packets), .show = ESPTUN_SHOW_ALL },
	{ ATTR_U64(ESPTUN_SA_A_BYTES, R, bytes), .show = ESPTUN_SHOW_ALL },
	{ ATTR_U64(ESPTUN_SA_A_AGE, R, age), .show = ESPTUN_SHOW_ALL },
	{ ATTR_U64(ESPTUN_SA_A_LAST_USED, R, last_used), .show = ESPTUN_SHOW_ALL,
	  .present = ESPTUN_SA_LAST_USED },
	{ ATTR_NEST(ESPTUN_SA_A_TS_LOCAL), .may = ESPTUN_REQ_CHANGE, .present = ESPTUN_SA_TS_LOCAL },
	{ ATTR_NEST(ESPTUN_SA_A_TS_REMOTE), .may = ESPTUN_REQ_CHANGE, .present = ESPTUN_SA_TS_REMOTE },
	{ ATTR_NEST(ESPTUN_SA_A_STATS) },
};
/* clang-format on */

static const struct esptun_attr_table sa_table = {
	.rows = sa_attrs,
	.n = ARRAY_SIZE(sa_attrs),
	.max = ESPTUN_SA_A_MAX,
	.pad = ESPTUN_SA_A_PAD,
	.fixed =
		"only limits, selectors, tfc and dummy of an SA can be changed",
	.named =
		"this request only names SAs, by dir, spi and peer, of which flush takes peer alone; take this attribute away",
};

int esptun_netlink_parse_sa(struct genl_info *info,
			    struct esptun_sa_request *req, u8 request)
{
	struct netlink_ext_ack *extack = info->extack;
	struct sa_report r = {};
	struct nlattr *nest;
	int err;

	memset(req, 0, sizeof(*req));
	nest = esptun_attr_outer(info, ESPTUN_A_SA, "sa is missing");
	if (!nest)
		return -EINVAL;
	err = esptun_attr_parse(&sa_table, nest, req->tb, request, &r,
				&r.p.present, extack);
	if (err)
		return err;
	req->p = r.p;
	if (!req->p.peer && (NAMED & request) &&
	    req->p.dir == ESPTUN_SA_DIR_OUT)
		return esptun_attr_missing(
			nest, ESPTUN_SA_A_PEER,
			"an outbound SA is named by peer and spi: peer is missing",
			extack);
	/* Only what encrypts nothing has no key. */
	if (request == ESPTUN_REQ_NEW && req->p.encr != ESPTUN_ENCR_NULL &&
	    !req->tb[ESPTUN_SA_A_ENCR_KEY])
		return esptun_attr_missing(nest, ESPTUN_SA_A_ENCR_KEY,
					   "encr-key is missing", extack);
	err = parse_selectors(nest, req, extack);
	if (err)
		esptun_netlink_parse_sa_end(req);
	return err;
}

void esptun_netlink_parse_sa_end(struct esptun_sa_request *req)
{
	kvfree(req->ts);
	req->ts = NULL;
}

/* Keys and selectors stay the SA's. */
static void take_params(struct esptun_sa_params *p, const struct esptun_sa *sa)
{
	const struct esptun_ts_set *set = esptun_sa_ts(sa);

	*p = (struct esptun_sa_params){
		.spi = sa->spi,
		.dir = sa->dir,
		.peer = sa->peer->id,
		.mode = sa->mode,
		.encr = sa->alg.encr ? sa->alg.encr->id : 0,
		.integ = sa->alg.integ ? sa->alg.integ->id : 0,
		.keys = {
			.encr = sa->key,
			.encr_len = sa->key_len,
			.integ = sa->integ_key,
			.integ_len = sa->integ_key_len,
		},
		.esn = sa->esn,
		.replay_window = sa->replay.window,
		.tfc = sa->tfc,
		.dummy = esptun_sa_dummies(sa),
		.limits = sa->limits,
	};
	p->present = esptun_limits_present(&p->limits);
	if (sa->dir == ESPTUN_SA_DIR_IN)
		p->present |= ESPTUN_SA_REPLAY_WINDOW;
	if (p->tfc)
		p->present |= ESPTUN_SA_TFC;
	if (p->dummy)
		p->present |= ESPTUN_SA_DUMMY;
	if (sa->alg.integ)
		p->present |= ESPTUN_SA_INTEG | ESPTUN_SA_INTEG_KEY;
	if (sa->cpu) {
		p->present |= ESPTUN_SA_CPU;
		p->cpu = sa->cpu - 1;
	}
	if (sa->nat_oa) {
		p->present |= ESPTUN_SA_NAT_OA_LOCAL | ESPTUN_SA_NAT_OA_REMOTE;
		p->nat_oa = *sa->nat_oa;
	}
	if (!set)
		return;
	p->ts.local = esptun_ts_set_local(set);
	p->ts.n_local = set->n_local;
	p->ts.remote = esptun_ts_set_remote(set);
	p->ts.n_remote = set->n_remote;
}

static void take_report(struct sa_report *r, struct esptun_sa *sa)
{
	take_params(&r->p, sa);
	r->p.seq = esptun_sa_seq(sa);
	r->p.present |= ESPTUN_SA_SEQ;
	r->state = READ_ONCE(sa->state);
	r->key_len = r->p.keys.encr_len;
	if (sa->alg.ops)
		esptun_alg_driver(&sa->alg, r->driver_name);
	r->driver = r->driver_name;
	r->packets = atomic64_read(&sa->packets);
	r->bytes = atomic64_read(&sa->bytes);
	r->age = esptun_timer_ms(sa->created, jiffies);
	r->last_used = esptun_timer_ms(READ_ONCE(sa->last_used), jiffies);
	if (r->packets)
		r->p.present |= ESPTUN_SA_LAST_USED;
}

static int put_counters(struct sk_buff *msg, struct esptun_sa *sa)
{
	struct nlattr *nest = nla_nest_start(msg, ESPTUN_SA_A_STATS);
	const atomic_t *counter;
	unsigned int id;

	if (!nest)
		return -EMSGSIZE;
	for (id = ESPTUN_STATS_FIRST; id < ESPTUN_STATS_NUM; id++) {
		counter = esptun_sa_counter(sa, id);
		if (counter &&
		    nla_put_u64_64bit(msg, id, (u32)atomic_read(counter),
				      ESPTUN_STATS_A_PAD))
			return -EMSGSIZE;
	}
	nla_nest_end(msg, nest);
	return 0;
}

int esptun_netlink_put_sa(struct sk_buff *msg, struct esptun_sa *sa, bool keys)
{
	struct nlattr *nest = nla_nest_start(msg, ESPTUN_A_SA);
	u8 show = ESPTUN_SHOW_BRIEF | ESPTUN_SHOW_ALL;
	const struct esptun_ts_lists *ts;
	struct sa_report r = {};

	/* A larval SA is a reserved SPI and nothing else. */
	if (sa->alg.ops)
		show |= ESPTUN_SHOW_KEYED | (keys ? ESPTUN_SHOW_KEYS : 0);
	take_report(&r, sa);
	ts = &r.p.ts;
	if (!nest || esptun_attr_put(&sa_table, msg, show, &r, r.p.present) ||
	    put_counters(msg, sa) ||
	    put_ts(msg, ESPTUN_SA_A_TS_LOCAL, ts->local, ts->n_local) ||
	    put_ts(msg, ESPTUN_SA_A_TS_REMOTE, ts->remote, ts->n_remote))
		return -EMSGSIZE;
	nla_nest_end(msg, nest);
	return 0;
}

int esptun_netlink_put_sa_brief(struct sk_buff *msg, const struct esptun_sa *sa)
{
	struct nlattr *nest = nla_nest_start(msg, ESPTUN_A_SA);
	const struct sa_report r = {
		.p.spi = sa->spi,
		.p.dir = sa->dir,
		.p.peer = sa->peer->id,
		.state = READ_ONCE(sa->state),
	};

	if (!nest || esptun_attr_put(&sa_table, msg, ESPTUN_SHOW_BRIEF, &r, 0))
		return -EMSGSIZE;
	nla_nest_end(msg, nest);
	return 0;
}

size_t esptun_netlink_sa_size(const struct esptun_sa *sa)
{
	const struct esptun_ts_set *set = esptun_sa_ts(sa);
	unsigned int n = set ? set->n_local + set->n_remote : 0;
	size_t ts = nla_total_size(0) +
		    nla_total_size(sizeof(struct in6_addr)) +
		    4 * nla_total_size(sizeof(u16));

	return ESPTUN_NETLINK_SIZE + n * ts;
}
