// SPDX-License-Identifier: GPL-2.0
#include "netlink/netlink-attr.h"

#include <linux/in6.h>
#include <linux/socket.h>
#include <net/genetlink.h>
#include <net/netlink.h>
#include "encap/endpoint.h"

int esptun_attr_refuse(const struct nlattr *attr, const char *text,
		       struct netlink_ext_ack *extack)
{
	NL_SET_BAD_ATTR(extack, attr);
	compat_nl_set_err_text(extack, text);
	return -EINVAL;
}

int esptun_attr_missing(const struct nlattr *nest, u16 type, const char *text,
			struct netlink_ext_ack *extack)
{
	NL_SET_ERR_ATTR_MISS(extack, nest, type);
	compat_nl_set_err_text(extack, text);
	return -EINVAL;
}

struct nlattr *esptun_attr_outer(const struct genl_info *info, u16 type,
				 const char *text)
{
	if (!info->attrs[type])
		esptun_attr_missing(NULL, type, text, info->extack);
	return info->attrs[type];
}

/* ---- reading ---- */

/* In host order; of bytes, how many. */
static u64 number(const struct esptun_attr *row, const struct nlattr *attr)
{
	switch (row->kind) {
	case ESPTUN_ATTR_HOST:
		return row->size == sizeof(u8)	? nla_get_u8(attr) :
		       row->size == sizeof(u16) ? nla_get_u16(attr) :
		       row->size == sizeof(u32) ? nla_get_u32(attr) :
						  nla_get_u64(attr);
	case ESPTUN_ATTR_BE:
	case ESPTUN_ATTR_PORT:
		return row->size == sizeof(__be16) ? ntohs(nla_get_be16(attr)) :
						     ntohl(nla_get_be32(attr));
	default:
		return nla_len(attr);
	}
}

static int read_inner(const struct esptun_attr *row, const struct nlattr *attr,
		      void *to, struct netlink_ext_ack *extack)
{
	u8 *family = to + row->also;

	switch (nla_len(attr)) {
	case sizeof(struct in_addr):
		*family = AF_INET;
		break;
	case sizeof(struct in6_addr):
		*family = AF_INET6;
		break;
	default:
		return esptun_attr_refuse(attr, row->wrong, extack);
	}
	memset(to + row->at, 0, sizeof(struct in6_addr));
	memcpy(to + row->at, nla_data(attr), nla_len(attr));
	return 0;
}

/* The member that @row names gets the value of @attr. */
static int read_value(const struct esptun_attr *row, const struct nlattr *attr,
		      void *to, struct netlink_ext_ack *extack)
{
	void *member = to + row->at;
	u64 value = number(row, attr);

	if (row->kind == ESPTUN_ATTR_OUTER)
		return esptun_addr_get(attr, member, extack);
	if (row->kind == ESPTUN_ATTR_INNER)
		return read_inner(row, attr, to, extack);
	if (row->wrong && (value < row->min || value > row->max) &&
	    !(row->special && value == row->special))
		return esptun_attr_refuse(attr, row->wrong, extack);
	switch (row->kind) {
	case ESPTUN_ATTR_HOST:
	case ESPTUN_ATTR_BE:
		memcpy(member, nla_data(attr), row->size);
		break;
	case ESPTUN_ATTR_PORT:
		*(u16 *)member = value;
		break;
	case ESPTUN_ATTR_BYTES:
		*(const void **)member = nla_data(attr);
		*(unsigned int *)(to + row->also) = value;
		break;
	}
	return 0;
}

/* Ignoring @row would look like having done it. */
static const char *why_not(const struct esptun_attr_table *table,
			   const struct esptun_attr *row, u8 request)
{
	if (!row->may)
		return "attribute is read-only";
	return request == ESPTUN_REQ_SET ? table->fixed : table->named;
}

int esptun_attr_parse(const struct esptun_attr_table *table,
		      const struct nlattr *nest, struct nlattr *tb[],
		      u8 request, void *to, u32 *present,
		      struct netlink_ext_ack *extack)
{
	const struct esptun_attr *row, *end = table->rows + table->n;
	int err;

	err = nla_parse_nested(tb, table->max, nest, NULL, extack);
	if (err)
		return err;
	for (row = table->rows; row < end; row++) {
		const struct nlattr *attr = tb[row->type];

		if (!attr && (row->must & request))
			return esptun_attr_missing(nest, row->type,
						   row->missing, extack);
		if (!attr)
			continue;
		if (!(row->may & request))
			return esptun_attr_refuse(
				attr, why_not(table, row, request), extack);
		err = read_value(row, attr, to, extack);
		if (err)
			return err;
		*present |= row->present;
	}
	return 0;
}

/* ---- writing ---- */

static int put_inner(struct sk_buff *msg, const struct esptun_attr *row,
		     const void *from)
{
	const u8 *family = from + row->also;

	return nla_put(msg, row->type,
		       *family == AF_INET ? sizeof(struct in_addr) :
					    sizeof(struct in6_addr),
		       from + row->at);
}

static int put_value(struct sk_buff *msg, const struct esptun_attr *row,
		     const void *from, u16 pad)
{
	const void *member = from + row->at;

	switch (row->kind) {
	case ESPTUN_ATTR_HOST:
	case ESPTUN_ATTR_BE:
		if (row->size == sizeof(u64))
			return nla_put_64bit(msg, row->type, row->size, member,
					     pad);
		return nla_put(msg, row->type, row->size, member);
	case ESPTUN_ATTR_PORT:
		return nla_put_be16(msg, row->type,
				    htons(*(const u16 *)member));
	case ESPTUN_ATTR_BYTES:
		return nla_put(msg, row->type,
			       *(const unsigned int *)(from + row->also),
			       *(const void *const *)member);
	case ESPTUN_ATTR_STRING:
		return nla_put_string(msg, row->type,
				      *(const char *const *)member);
	case ESPTUN_ATTR_OUTER:
		return esptun_addr_put(msg, row->type, member);
	case ESPTUN_ATTR_INNER:
		return put_inner(msg, row, from);
	default:
		return 0;
	}
}

int esptun_attr_put(const struct esptun_attr_table *table, struct sk_buff *msg,
		    u8 show, const void *from, u32 present)
{
	const struct esptun_attr *row, *end = table->rows + table->n;

	for (row = table->rows; row < end; row++) {
		if (!(row->show & show) ||
		    (row->present && !(row->present & present)))
			continue;
		if (put_value(msg, row, from, table->pad))
			return -EMSGSIZE;
	}
	return 0;
}
