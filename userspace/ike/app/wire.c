// SPDX-License-Identifier: GPL-2.0-or-later
#include <ctype.h>
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "ike/app/wire.h"
#include "ike/proto/addr.h"
#include "ike/proto/cp.h"

/* ---- what a body may hold --------------------------------------------------------------- */

/* Each kind of field that a reader relies on. */
enum field_kind {
	FIELD_BOOL,
	FIELD_U32, /* at most so much; enumerations, too */
	FIELD_SIZE, /* a size_t, likewise */
	FIELD_ADDR,
	FIELD_ENDPOINT,
	FIELD_ID,
	FIELD_PROPOSAL,
	FIELD_SELECTORS,
	FIELD_CP,
	FIELD_TEXT, /* ends within so many octets, and has no control characters */
};

struct field {
	enum field_kind kind;
	size_t offset;
	size_t max;
};

/* How the messages of a type are. */
struct rule {
	size_t min, max; /* octets of the body */
	size_t unit; /* the body is some of these, of so many octets; 0: one */
	bool tunnel; /* must be named */
	uint32_t max_value;
	const struct field *fields;
	size_t n;
};

#define AT(type, member) offsetof(struct type, member)
#define FIELDS(list) .fields = (list), .n = sizeof(list) / sizeof((list)[0])
#define EXACTLY(type) .min = sizeof(type), .max = sizeof(type)
#define SOME(type, most) .max = (most) * sizeof(type), .unit = sizeof(type)

_Static_assert(sizeof(struct ike_tunnel_conf) + IKE_MAX_CREDS <= WIRE_BODY, "a configuration fits");
_Static_assert((1 + IKE_MAX_CHILD) * sizeof(struct wire_status) <= WIRE_BODY,
	       "a peer and its child SAs fit");
_Static_assert(sizeof(enum ike_child_part) == 4 && sizeof(enum ike_tunnel_state) == 4 &&
		       sizeof(enum ike_mode) == 4 && sizeof(enum ike_fault) == 4,
	       "enumerations are checked as 32 bit");

#define CHILD_FIELDS(type, at)                                              \
	{ FIELD_U32, AT(type, at child.part), IKE_CHILD_OUT },              \
		{ FIELD_U32, AT(type, at child.mode), IKE_MODE_TRANSPORT }, \
		{ FIELD_ENDPOINT, AT(type, at child.local), 0 },            \
		{ FIELD_ENDPOINT, AT(type, at child.remote), 0 },           \
		{ FIELD_BOOL, AT(type, at child.plain), 0 },                \
		{ FIELD_ADDR, AT(type, at child.nat_oa_local), 0 },         \
		{ FIELD_ADDR, AT(type, at child.nat_oa_remote), 0 },        \
		{ FIELD_BOOL, AT(type, at child.esn), 0 },                  \
		{ FIELD_SIZE, AT(type, at child.key_len), IKE_MAX_KEY },    \
		{ FIELD_SIZE, AT(type, at child.integ_len), IKE_MAX_KEY },  \
		{ FIELD_SELECTORS, AT(type, at local_ts), 0 },              \
	{                                                                   \
		FIELD_SELECTORS, AT(type, at remote_ts), 0                  \
	}

static const struct field child_fields[] = { CHILD_FIELDS(wire_child, ) };

static const struct field keylog_fields[] = {
	{ FIELD_U32, AT(wire_keylog, is_child), 1 },
	{ FIELD_U32, AT(wire_keylog, sk_e_len), IKE_MAX_KEY },
	{ FIELD_U32, AT(wire_keylog, sk_a_len), IKE_MAX_KEY },
	CHILD_FIELDS(wire_keylog, child.),
};

static const struct field adopted_fields[] = { { FIELD_ID, AT(wire_adopted, id), 0 } };

static const struct field id_fields[] = { { FIELD_ID, 0, 0 } };

static const struct field cp_fields[] = { { FIELD_CP, 0, 0 } };

static const struct field job_fields[] = {
	{ FIELD_U32, AT(wire_job, kind), IKE_JOBS_OF_CORE - 1 },
	{ FIELD_U32, AT(wire_job, n_tunnels), IKE_JOB_TUNNELS },
	{ FIELD_U32, AT(wire_job, prf), UINT16_MAX },
	{ FIELD_U32, AT(wire_job, alg), UINT16_MAX },
	{ FIELD_U32, AT(wire_job, octets_len[0]), WIRE_OCTETS },
	{ FIELD_U32, AT(wire_job, octets_len[1]), WIRE_OCTETS },
	{ FIELD_U32, AT(wire_job, octets_len[2]), WIRE_OCTETS },
	{ FIELD_U32, AT(wire_job, auth_len), WIRE_AUTH },
	{ FIELD_ID, AT(wire_job, peer), 0 },
};

_Static_assert(IKE_JOB_OCTETS == 3, "each part has a row above");

static const struct field result_fields[] = {
	{ FIELD_U32, AT(ike_job_result, auth_len), IKE_MAX_SIGNATURE },
	{ FIELD_U32, AT(ike_job_result, eap_len), IKE_JOB_EAP },
};

static const struct field fetched_fields[] = {
	{ FIELD_U32, AT(wire_fetched, request_len), PKI_MAX_OCSP_REQUEST },
	{ FIELD_U32, AT(wire_fetched, data_len), IKE_MAX_FETCHED },
	{ FIELD_TEXT, AT(wire_fetched, uri), PKI_MAX_URI },
	{ FIELD_TEXT, AT(wire_fetched, fault), sizeof(((struct wire_fetched *)0)->fault) },
};

static const struct field addr_fields[] = { { FIELD_ADDR, 0, 0 } };

static const struct field key_fields[] = {
	{ FIELD_TEXT, AT(wire_key, tunnel), sizeof(((struct wire_key *)0)->tunnel) },
};

static const struct field status_fields[] = {
	{ FIELD_U32, AT(wire_status, key), WIRE_KEYS - 1 },
	{ FIELD_U32, AT(wire_status, child), IKE_MAX_CHILD },
	{ FIELD_U32, AT(wire_status, status.state), IKE_TUNNEL_CLOSING },
	{ FIELD_ADDR, AT(wire_status, status.lease[0]), 0 },
	{ FIELD_ADDR, AT(wire_status, status.lease[1]), 0 },
	{ FIELD_BOOL, AT(wire_status, status.have_ike), 0 },
	{ FIELD_BOOL, AT(wire_status, status.initiator), 0 },
	{ FIELD_BOOL, AT(wire_status, status.established), 0 },
	{ FIELD_ENDPOINT, AT(wire_status, status.local), 0 },
	{ FIELD_ENDPOINT, AT(wire_status, status.remote), 0 },
	{ FIELD_ENDPOINT, AT(wire_status, status.esp_remote), 0 },
	{ FIELD_ID, AT(wire_status, status.local_id), 0 },
	{ FIELD_ID, AT(wire_status, status.remote_id), 0 },
	{ FIELD_ID, AT(wire_status, status.first_id), 0 },
	{ FIELD_U32, AT(wire_status, status.local_auth.method), IKE_METHODS - 1 },
	{ FIELD_BOOL, AT(wire_status, status.local_auth.then_user), 0 },
	{ FIELD_BOOL, AT(wire_status, status.local_auth.eap_only), 0 },
	{ FIELD_U32, AT(wire_status, status.remote_auth.method), IKE_METHODS - 1 },
	{ FIELD_BOOL, AT(wire_status, status.remote_auth.then_user), 0 },
	{ FIELD_BOOL, AT(wire_status, status.remote_auth.eap_only), 0 },
	{ FIELD_PROPOSAL, AT(wire_status, status.ike), 0 },
	{ FIELD_U32, AT(wire_status, status.ppk), IKE_PPK_UNKNOWN },
	{ FIELD_BOOL, AT(wire_status, status.nat_local), 0 },
	{ FIELD_BOOL, AT(wire_status, status.nat_remote), 0 },
	{ FIELD_BOOL, AT(wire_status, status.plain), 0 },
	{ FIELD_BOOL, AT(wire_status, status.mobike), 0 },
	{ FIELD_BOOL, AT(wire_status, status.mobike_decides), 0 },
	{ FIELD_BOOL, AT(wire_status, status.have_child), 0 },
	{ FIELD_PROPOSAL, AT(wire_status, status.esp), 0 },
	{ FIELD_U32, AT(wire_status, status.mode), IKE_MODE_TRANSPORT },
	{ FIELD_U32, AT(wire_status, status.fault), IKE_FAULT_CLOCK },
	{ FIELD_SELECTORS, AT(wire_status, status.local_ts), 0 },
	{ FIELD_SELECTORS, AT(wire_status, status.remote_ts), 0 },
	{ FIELD_TEXT, AT(wire_status, tunnel), sizeof(((struct wire_status *)0)->tunnel) },
	{ FIELD_TEXT, AT(wire_status, child_name), IKE_CHILD_NAME },
	{ FIELD_TEXT, AT(wire_status, last_error), WIRE_TEXT },
	{ FIELD_TEXT, AT(wire_status, step), WIRE_STEP },
};

static const struct rule rules[WIRE_TYPES] = {
#define WIRE(name, ...) [WIRE_##name] = { __VA_ARGS__ },
#include "ike/app/wire.def"
#undef WIRE
};

/* ---- checking --------------------------------------------------------------------------- */

/* What is behind an IPv4 address is zero: one address has one form, in whichever table it is looked up. */
static bool octets_are_good(uint8_t family, const uint8_t b[16])
{
	static const uint8_t zero[12];

	return family != 4 || !memcmp(b + 4, zero, sizeof(zero));
}

static bool addr_is_good(const struct ike_addr *a)
{
	return (a->family == 0 || a->family == 4 || a->family == 6) &&
	       octets_are_good(a->family, a->b);
}

static bool endpoint_is_good(const struct ike_endpoint *e)
{
	return addr_is_good(&e->addr);
}

static bool selectors_are_good(const struct ike_ts_list *l)
{
	if (l->n > IKE_MAX_TS)
		return false;
	for (unsigned int i = 0; i < l->n; i++) {
		const struct ike_ts *ts = &l->ts[i];

		if ((ts->family != 4 && ts->family != 6) ||
		    !octets_are_good(ts->family, ts->start) ||
		    !octets_are_good(ts->family, ts->end) ||
		    memcmp(ts->start, ts->end, sizeof(ts->start)) > 0)
			return false;
	}
	return true;
}

/* Of @size octets at most, with the NUL. */
static bool text_is_good(const char *text, size_t size)
{
	for (size_t i = 0; i < size; i++) {
		if (!text[i])
			return true;
		if (iscntrl((unsigned char)text[i]))
			return false;
	}
	return false;
}

static bool subnet_is_good(const struct ike_cp_subnet *s)
{
	struct ike_addr net = s->addr;

	return addr_is_good(&net) && net.family && s->len <= (net.family == 4 ? 32 : 128) &&
	       !ike_addr_to_net(&net, s->len);
}

/* What a reply may hold: it becomes addresses, routes and arguments of programs. */
static bool cp_is_good(const struct ike_cp *cp)
{
	if (cp->n_servers > IKE_CP_SERVERS || cp->n_subnets > IKE_CP_SUBNETS ||
	    !text_is_good(cp->domains, IKE_CP_DOMAINS) || !ike_cp_domains_ok(cp->domains) ||
	    !text_is_good(cp->version, IKE_CP_VERSION))
		return false;
	for (unsigned int i = 0; i < 2; i++) {
		const struct ike_addr *a = &cp->address[i];

		if (!addr_is_good(a) || (a->family && a->family != (i ? 6 : 4)))
			return false;
	}
	for (unsigned int i = 0; i < cp->n_servers; i++) {
		if (!addr_is_good(&cp->server[i]) || !ike_addr_is_host(&cp->server[i]))
			return false;
	}
	for (unsigned int i = 0; i < cp->n_subnets; i++) {
		if (!subnet_is_good(&cp->subnet[i]))
			return false;
	}
	return true;
}

static bool field_is_good(const uint8_t *body, const struct field *f)
{
	const void *at = body + f->offset;

	switch (f->kind) {
	case FIELD_BOOL: return *(const uint8_t *)at <= 1;
	case FIELD_U32: return *(const uint32_t *)at <= f->max;
	case FIELD_SIZE: return *(const size_t *)at <= f->max;
	case FIELD_ADDR: return addr_is_good(at);
	case FIELD_ENDPOINT: return endpoint_is_good(at);
	case FIELD_ID: return ((const struct ike_id *)at)->len <= IKE_MAX_ID;
	case FIELD_PROPOSAL: return ((const struct ike_proposal *)at)->n <= IKE_MAX_TRANSFORMS;
	case FIELD_SELECTORS: return selectors_are_good(at);
	case FIELD_CP: return cp_is_good(at);
	case FIELD_TEXT: return text_is_good(at, f->max);
	}
	return false;
}

static bool head_is_good(const struct wire_head *h, const struct rule *r)
{
	return h->len >= r->min && h->len <= r->max && (!r->unit || h->len % r->unit == 0) &&
	       text_is_good(h->tunnel, sizeof(h->tunnel)) && (h->tunnel[0] || !r->tunnel) &&
	       h->result <= 0 && h->result > -4096 && h->value <= r->max_value && h->inbound <= 1 &&
	       h->have_spis <= 1 && endpoint_is_good(&h->local) && endpoint_is_good(&h->remote);
}

static bool body_is_good(const struct wire *w, const struct rule *r)
{
	size_t unit = r->unit ? r->unit : w->h.len;

	for (size_t at = 0; at < w->h.len; at += unit) {
		for (size_t i = 0; i < r->n; i++) {
			if (!field_is_good(w->body + at, &r->fields[i]))
				return false;
		}
	}
	return true;
}

/* The core looks at all of it; what it cannot know is where the message ends. */
static bool conf_is_good(const struct wire *w)
{
	const struct ike_tunnel_conf *conf = (const struct ike_tunnel_conf *)w->body;

	return conf->n_child <= IKE_MAX_CHILD && conf->creds.len <= IKE_MAX_CREDS &&
	       w->h.len == offsetof(struct ike_tunnel_conf, child) +
				   conf->n_child * sizeof(conf->child[0]) + conf->creds.len;
}

static bool adopted_is_good(const struct wire *w)
{
	const struct wire_adopted *a = (const struct wire_adopted *)w->body;

	return w->h.len == sizeof(*a) + (uint64_t)a->n * sizeof(struct ike_ts);
}

static bool fetched_is_good(const struct wire *w)
{
	const struct wire_fetched *f = (const struct wire_fetched *)w->body;

	return w->h.len == sizeof(*f) + f->request_len + f->data_len;
}

static bool job_is_good(const struct wire *w)
{
	const struct wire_job *j = (const struct wire_job *)w->body;
	size_t len = sizeof(*j) + j->auth_len;

	for (unsigned int i = 0; i < IKE_JOB_OCTETS; i++)
		len += j->octets_len[i];
	for (unsigned int i = 0; i < j->n_tunnels; i++) {
		if (!text_is_good(j->tunnels[i], sizeof(j->tunnels[i])))
			return false;
	}
	return w->h.len == len && j->n_tunnels &&
	       (j->n_tunnels == 1 || j->kind == IKE_JOB_PSK_VERIFY);
}

bool wire_is_good(const struct wire *w, size_t len, bool from_ike)
{
	const struct wire_head *h = &w->h;
	const struct rule *r;

	if (len < sizeof(*h) || h->len != len - sizeof(*h) || h->type >= WIRE_TYPES ||
	    (h->type >= WIRE_FIRST_OF_IKE) != from_ike)
		return false;
	r = &rules[h->type];
	if (!head_is_good(h, r))
		return false;
	if (!body_is_good(w, r))
		return false;
	switch (h->type) {
	case WIRE_TUNNEL_ADD:
	case WIRE_TUNNEL_CHANGE: return conf_is_good(w);
	case WIRE_ENV_JOB_START: return job_is_good(w);
	case WIRE_FETCHED: return fetched_is_good(w);
	case WIRE_ADOPT: return adopted_is_good(w);
	case WIRE_ENV_CRL_USED:
	case WIRE_ENV_LOG: return text_is_good((const char *)w->body, h->len);
	default: return true;
	}
}

/* ---- structures with pointers ------------------------------------------------------------- */

void wire_copy_key(uint8_t to[IKE_MAX_KEY], const uint8_t *from, size_t len)
{
	if (from && len <= IKE_MAX_KEY)
		memcpy(to, from, len);
}

void wire_child_fill(struct wire_child *w, const struct ike_child *c)
{
	memset(w, 0, sizeof(*w));
	w->child = *c;
	wire_copy_key(w->key_in, c->key_in, c->key_len);
	wire_copy_key(w->key_out, c->key_out, c->key_len);
	wire_copy_key(w->integ_in, c->integ_in, c->integ_len);
	wire_copy_key(w->integ_out, c->integ_out, c->integ_len);
	w->local_ts = *c->local_ts;
	w->remote_ts = *c->remote_ts;
}

const struct ike_child *wire_child_open(struct wire_child *w, const char *tunnel)
{
	struct ike_child *c = &w->child;

	c->tunnel = tunnel;
	c->key_in = w->key_in;
	c->key_out = w->key_out;
	c->integ_in = w->integ_in;
	c->integ_out = w->integ_out;
	c->local_ts = &w->local_ts;
	c->remote_ts = &w->remote_ts;
	return c;
}

void wire_copy_text(char *to, size_t size, const char *from)
{
	snprintf(to, size, "%s", from ? from : "");
	for (; *to; to++) {
		if (iscntrl((unsigned char)*to))
			*to = '?';
	}
}

void wire_status_fill(struct wire_status *w, uint32_t key, uint32_t child,
		      const struct ike_status *status)
{
	w->key = key;
	w->child = child;
	w->status = *status;
	wire_copy_text(w->tunnel, sizeof(w->tunnel), status->tunnel);
	wire_copy_text(w->child_name, sizeof(w->child_name), status->child_name);
	wire_copy_text(w->last_error, sizeof(w->last_error), status->last_error);
	wire_copy_text(w->step, sizeof(w->step), status->step);
}

const struct ike_status *wire_status_open(struct wire_status *w)
{
	struct ike_status *s = &w->status;

	s->tunnel = w->tunnel;
	s->child_name = w->child_name;
	s->last_error = w->last_error;
	s->step = w->step;
	return s;
}

struct wire_head wire_head(enum wire_type type, const char *tunnel)
{
	struct wire_head h = { .type = type };

	if (tunnel)
		strncpy(h.tunnel, tunnel, sizeof(h.tunnel) - 1);
	return h;
}

const char *wire_tunnel(const struct wire_head *h)
{
	return h->tunnel[0] ? h->tunnel : NULL;
}

/* ---- the socket ----------------------------------------------------------------------------- */

int wire_make_room(int fd, size_t longest)
{
	const int need = (int)longest + 4096, want = 2 * need;
	socklen_t len = sizeof(int);
	int got = 0;

	/* The first with CAP_NET_ADMIN, beyond net.core.wmem_max. */
	if (setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &want, sizeof(want)) &&
	    setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &want, sizeof(want)))
		return -errno;
	if (getsockopt(fd, SOL_SOCKET, SO_SNDBUF, &got, &len))
		return -errno;
	return got < need ? -ENOBUFS : 0;
}

enum wire_got wire_put(int fd, const struct wire_head *h, const void *body)
{
	struct iovec iov[] = { { (void *)h, sizeof(*h) }, { (void *)body, h->len } };
	struct msghdr m = { .msg_iov = iov, .msg_iovlen = h->len ? 2 : 1 };
	ssize_t n;

	do {
		n = sendmsg(fd, &m, MSG_NOSIGNAL);
	} while (n < 0 && errno == EINTR);
	if (n < 0)
		return errno == EAGAIN ? WIRE_LATE : WIRE_GONE;
	return WIRE_OK;
}

static enum wire_got get(int fd, bool from_ike, struct wire *w, int flags)
{
	struct iovec iov[] = { { &w->h, sizeof(w->h) }, { w->body, sizeof(w->body) } };
	struct msghdr m = { .msg_iov = iov, .msg_iovlen = 2 };
	ssize_t n;

	do {
		n = recvmsg(fd, &m, flags);
	} while (n < 0 && errno == EINTR);
	if (n <= 0)
		return n < 0 && errno == EAGAIN ? WIRE_LATE : WIRE_GONE;
	if ((m.msg_flags & MSG_TRUNC) || !wire_is_good(w, (size_t)n, from_ike))
		return WIRE_BAD;
	return WIRE_OK;
}

enum wire_got wire_get(int fd, bool from_ike, struct wire *w)
{
	return get(fd, from_ike, w, 0);
}

enum wire_got wire_look(int fd, bool from_ike, struct wire *w)
{
	return get(fd, from_ike, w, MSG_DONTWAIT);
}
