// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Extended acknowledgements (NETLINK_EXT_ACK), which libnl does not decode:
 * the kernel's sentence, and the attribute it is about. Everything is bounded
 * by the message, which is treated as hostile.
 */
#include <ctype.h>
#include <errno.h>
#include <string.h>

#include "lib/internal.h"

/* deepest attribute: sa.ts-local.address; the slack costs nothing */
#define MAX_DEPTH 6

static void append(char *path, size_t size, const char *name)
{
	size_t used = strlen(path);

	if (used && used + 1 < size) {
		path[used++] = '.';
		path[used] = '\0';
	}
	strncat(path, name, size - used - 1);
}

static const char *attr_name(const struct attr_set *set, int type)
{
	if (!set || type < 0 || type > set->max)
		return NULL;
	return set->name[type];
}

static const struct attr_set *attr_nested(const struct attr_set *set, int type)
{
	if (!set || !set->nested || type < 0 || type > set->max)
		return NULL;
	return set->nested[type];
}

/*
 * Name the attribute that starts @offs octets into @req: from the top, step into
 * the attribute that covers the offset until one starts there. Returns the set
 * its own members come from, NULL if it has none.
 */
static const struct attr_set *path_of(const struct nlmsghdr *req, size_t hdrlen,
				      const struct attr_set *set, size_t offs, char *path,
				      size_t size)
{
	size_t pos = NLMSG_HDRLEN + NLMSG_ALIGN(hdrlen);
	size_t end = req->nlmsg_len;
	int depth;

	for (depth = 0; depth < MAX_DEPTH; depth++) {
		while (end >= pos && end - pos >= NLA_HDRLEN) {
			const struct nlattr *a = (const void *)((const char *)req + pos);
			size_t len = a->nla_len;
			int type = a->nla_type & NLA_TYPE_MASK;
			const char *name = attr_name(set, type);

			if (len < NLA_HDRLEN || len > end - pos || offs < pos)
				return NULL;
			if (offs >= pos + len) {
				pos += NLA_ALIGN(len);
				continue;
			}
			if (!name)
				return NULL;
			append(path, size, name);
			set = attr_nested(set, type);
			if (offs == pos)
				return set;
			end = pos + len;
			pos += NLA_HDRLEN;
			break;
		}
		if (!set)
			break;
	}
	return NULL;
}

static const struct nlattr *tlv_find(const char *tlvs, size_t len, int type)
{
	while (len >= NLA_HDRLEN) {
		const struct nlattr *a = (const void *)tlvs;
		size_t step = (size_t)NLA_ALIGN(a->nla_len);

		if (a->nla_len < NLA_HDRLEN || a->nla_len > len)
			return NULL;
		if ((a->nla_type & NLA_TYPE_MASK) == type)
			return a;
		if (step >= len)
			return NULL;
		len -= step;
		tlvs += step;
	}
	return NULL;
}

static bool tlv_u32(const char *tlvs, size_t len, int type, uint32_t *value)
{
	const struct nlattr *a = tlv_find(tlvs, len, type);

	if (!a || a->nla_len != NLA_HDRLEN + sizeof(*value))
		return false;
	memcpy(value, a + 1, sizeof(*value));
	return true;
}

static void copy_text(char *dst, size_t size, const struct nlattr *a)
{
	const char *src = (const char *)(a + 1);
	size_t len = strnlen(src, a->nla_len - NLA_HDRLEN);
	size_t i;

	if (len >= size)
		len = size - 1;
	for (i = 0; i < len; i++)
		dst[i] = isprint((unsigned char)src[i]) ? src[i] : '?';
	dst[len] = '\0';
}

static void decode_tlvs(const char *tlvs, size_t len, const struct nlmsghdr *req, size_t hdrlen,
			const struct attr_set *set, struct extack *out)
{
	const struct nlattr *a = tlv_find(tlvs, len, NLMSGERR_ATTR_MSG);
	uint32_t offs, type;

	if (a)
		copy_text(out->msg, sizeof(out->msg), a);
	if (!req || !set)
		return;
	if (tlv_u32(tlvs, len, NLMSGERR_ATTR_OFFS, &offs)) {
		path_of(req, hdrlen, set, offs, out->attr, sizeof(out->attr));
		return;
	}
	if (!tlv_u32(tlvs, len, NLMSGERR_ATTR_MISS_TYPE, &type))
		return;
	if (tlv_u32(tlvs, len, NLMSGERR_ATTR_MISS_NEST, &offs))
		set = path_of(req, hdrlen, set, offs, out->attr, sizeof(out->attr));
	if (type <= INT16_MAX && attr_name(set, type)) {
		append(out->attr, sizeof(out->attr), attr_name(set, type));
		out->missing = true;
	}
}

int esptun_extack_decode(const struct nlmsghdr *nlh, const struct nlmsghdr *req, size_t hdrlen,
			 const struct attr_set *set, struct extack *out)
{
	const char *payload = (const char *)nlh + NLMSG_HDRLEN;
	size_t len, offs = sizeof(int32_t);
	int32_t error;

	memset(out, 0, sizeof(*out));
	if (nlh->nlmsg_len < NLMSG_HDRLEN + sizeof(error)) {
		/* the kernel may end a dump with an empty NLMSG_DONE */
		return nlh->nlmsg_type == NLMSG_DONE ? 0 : -EBADMSG;
	}
	len = nlh->nlmsg_len - NLMSG_HDRLEN;
	memcpy(&error, payload, sizeof(error));
	if (error > 0 || error < -4095)
		return nlh->nlmsg_type == NLMSG_DONE && error > 0 ? 0 : -EBADMSG;
	out->error = error;

	if (nlh->nlmsg_type == NLMSG_ERROR) {
		const struct nlmsgerr *e = (const void *)payload;

		if (len < sizeof(*e))
			return -EBADMSG;
		offs = sizeof(*e);
		/* the rest of the request precedes the TLVs unless it was cut */
		if (!(nlh->nlmsg_flags & NLM_F_CAPPED)) {
			if (e->msg.nlmsg_len < NLMSG_HDRLEN || e->msg.nlmsg_len > len)
				return -EBADMSG;
			offs += NLMSG_ALIGN(e->msg.nlmsg_len - NLMSG_HDRLEN);
		}
	}
	if ((nlh->nlmsg_flags & NLM_F_ACK_TLVS) && offs < len)
		decode_tlvs(payload + offs, len - offs, req, hdrlen, set, out);
	return 0;
}
