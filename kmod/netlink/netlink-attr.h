/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A table for each kind of object says how its attributes and the members of a
 * struct belong together, which requests may and must have them, and in what
 * range. Reading a request and writing a message both walk it, so an attribute is
 * a row of the specification and a row here.
 */
#ifndef ESPTUN_NETLINK_ATTR_H
#define ESPTUN_NETLINK_ATTR_H

#include <linux/build_bug.h>
#include <linux/stddef.h>
#include <linux/types.h>

struct genl_info;
struct netlink_ext_ack;
struct nlattr;
struct sk_buff;

/* What the member is. On the wire, numbers have the same size. */
enum esptun_attr_kind {
	ESPTUN_ATTR_HOST, /* a number in the host's order, here and on the wire */
	ESPTUN_ATTR_BE, /* a big-endian number, here and on the wire */
	ESPTUN_ATTR_PORT, /* u16; big-endian on the wire */
	ESPTUN_ATTR_BYTES, /* a pointer, into the request; and their number */
	ESPTUN_ATTR_STRING, /* a pointer; only from the kernel */
	ESPTUN_ATTR_OUTER, /* struct esptun_addr */
	ESPTUN_ATTR_INNER, /* struct in6_addr; and its family */
	ESPTUN_ATTR_NEST, /* the caller reads and writes it */
};

/* Requests about an object, for esptun_attr.may and .must */
#define ESPTUN_REQ_NEW BIT(0)
#define ESPTUN_REQ_SET BIT(1)
#define ESPTUN_REQ_NAME BIT(2) /* of one there is: nothing but what names it */
#define ESPTUN_REQ_SPI BIT(3)
#define ESPTUN_REQ_FLUSH BIT(4)
#define ESPTUN_REQ_ANY GENMASK(7, 0)
#define ESPTUN_REQ_CHANGE (ESPTUN_REQ_NEW | ESPTUN_REQ_SET)

/* Parts of a message about an object, for esptun_attr.show */
#define ESPTUN_SHOW_BRIEF BIT(0)
#define ESPTUN_SHOW_ALL BIT(1)
#define ESPTUN_SHOW_KEYED BIT(2) /* what a larval SA lacks */
#define ESPTUN_SHOW_KEYS BIT(3)
#define ESPTUN_SHOW_IDENTITY BIT(4)

/**
 * struct esptun_attr - an attribute
 * @type: its number
 * @kind: enum esptun_attr_kind
 * @may: requests that may have it; none if it only ever comes from the kernel
 * @must: requests that must
 * @show: parts of messages it belongs to
 * @size: octets of the member
 * @at: offset of the member
 * @also: offset of the second one: of BYTES the number, unsigned int; of INNER the
 *	family, u8
 * @present: bit that says it was, or is to be, there; 0 for always
 * @min: least value, of BYTES least number; host order
 * @max: likewise
 * @special: another value it may have, 0 for none
 * @missing: said if a request must have it and has not
 * @wrong: said if it is not in this range; NULL for any value
 */
struct esptun_attr {
	u16 type;
	u8 kind;
	u8 may;
	u8 must;
	u8 show;
	u8 size;
	u16 at;
	u16 also;
	u32 present;
	u32 min;
	u32 max;
	u32 special;
	const char *missing;
	const char *wrong;
};

/* The beginning of a row; the member must have the size that its kind has. */
#define ESPTUN_ATTR_SIZED(what, octets, number, s, member)              \
	.type = (number), .kind = ESPTUN_ATTR_##what, .size = (octets), \
	.at = offsetof(s, member) +                                     \
	      BUILD_BUG_ON_ZERO(sizeof_field(s, member) != (octets))

#define ATTR_U8(...) ESPTUN_ATTR_SIZED(HOST, 1, __VA_ARGS__)
#define ATTR_U16(...) ESPTUN_ATTR_SIZED(HOST, 2, __VA_ARGS__)
#define ATTR_U32(...) ESPTUN_ATTR_SIZED(HOST, 4, __VA_ARGS__)
#define ATTR_U64(...) ESPTUN_ATTR_SIZED(HOST, 8, __VA_ARGS__)
#define ATTR_BE16(...) ESPTUN_ATTR_SIZED(BE, 2, __VA_ARGS__)
#define ATTR_BE32(...) ESPTUN_ATTR_SIZED(BE, 4, __VA_ARGS__)
#define ATTR_PORT(...) ESPTUN_ATTR_SIZED(PORT, 2, __VA_ARGS__)
#define ATTR_STRING(...) ESPTUN_ATTR_SIZED(STRING, sizeof(char *), __VA_ARGS__)
#define ATTR_OUTER(...) \
	ESPTUN_ATTR_SIZED(OUTER, sizeof(struct esptun_addr), __VA_ARGS__)
#define ATTR_BYTES(number, s, member, count)                         \
	ESPTUN_ATTR_SIZED(BYTES, sizeof(void *), number, s, member), \
		.also = offsetof(s, count) +                         \
			BUILD_BUG_ON_ZERO(sizeof_field(s, count) !=  \
					  sizeof(int))
#define ATTR_INNER(number, s, member, family)                                 \
	ESPTUN_ATTR_SIZED(INNER, sizeof(struct in6_addr), number, s, member), \
		.also = offsetof(s, family) +                                 \
			BUILD_BUG_ON_ZERO(sizeof_field(s, family) != 1)
#define ATTR_NEST(number) .type = (number), .kind = ESPTUN_ATTR_NEST

/**
 * struct esptun_attr_table - the attributes of a kind of object
 * @rows: each but the padding
 * @n: how many
 * @max: highest number
 * @pad: of the padding in front of u64
 * @fixed: said of one that a new object may have, if ESPTUN_REQ_SET has it
 * @named: said of any that a request has which needs no more than a name
 */
struct esptun_attr_table {
	const struct esptun_attr *rows;
	unsigned int n;
	u16 max;
	u16 pad;
	const char *fixed;
	const char *named;
};

/* Refuse a request for @attr; @text outlives it. Return: -EINVAL. */
int esptun_attr_refuse(const struct nlattr *attr, const char *text,
		       struct netlink_ext_ack *extack);

/* Refuse one without, in @nest, NULL for an outer one; likewise. Return: -EINVAL. */
int esptun_attr_missing(const struct nlattr *nest, u16 type, const char *text,
			struct netlink_ext_ack *extack);

/* An outer attribute. NULL, and @text is said, if the request has none. */
struct nlattr *esptun_attr_outer(const struct genl_info *info, u16 type,
				 const char *text);

/**
 * esptun_attr_parse - read the attributes of an object
 * @table: how
 * @nest: holds them; the policy was applied to it
 * @tb: they, by number up to table->max; result
 * @request: ESPTUN_REQ_*, one of them
 * @to: members for which there is an attribute are set
 * @present: of these, the bits are set
 * @extack: told why not
 *
 * Return: 0 or a negative error: -EINVAL, or -EAFNOSUPPORT for an address.
 */
int esptun_attr_parse(const struct esptun_attr_table *table,
		      const struct nlattr *nest, struct nlattr *tb[],
		      u8 request, void *to, u32 *present,
		      struct netlink_ext_ack *extack);

/**
 * esptun_attr_put - write attributes of an object
 * @table: how
 * @msg: to this message
 * @show: ESPTUN_SHOW_*, which parts
 * @from: the members
 * @present: bits of those that are there
 *
 * Return: 0 or -EMSGSIZE.
 */
int esptun_attr_put(const struct esptun_attr_table *table, struct sk_buff *msg,
		    u8 show, const void *from, u32 present);

#endif /* ESPTUN_NETLINK_ATTR_H */
