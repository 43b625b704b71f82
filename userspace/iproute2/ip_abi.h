/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What ip(8) of iproute2 offers its link plugins. No header for it is packaged,
 * so this declares the part used here. struct link_util is the same from 5.2 to
 * at least 7.1; the functions are exported by the ip binary itself. Helpers that
 * take a colour are left out: the numbering of colours differs between versions.
 */
#ifndef IPROUTE2_IP_ABI_H
#define IPROUTE2_IP_ABI_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>

struct link_util {
	struct link_util *next;
	const char *id;
	int maxattr;
	int (*parse_opt)(struct link_util *lu, int argc, char **argv, struct nlmsghdr *n);
	void (*print_opt)(struct link_util *lu, FILE *f, struct rtattr *tb[]);
	void (*print_xstats)(struct link_util *lu, FILE *f, struct rtattr *xstats);
	void (*print_help)(struct link_util *lu, int argc, char **argv, FILE *f);
	int (*parse_ifla_xstats)(struct link_util *lu, int argc, char **argv);
	int (*print_ifla_xstats)(struct nlmsghdr *n, void *arg);
};

/* Octets the request's buffer has; each link kind of ip uses this number. */
#define LINK_REQUEST_SIZE 1024

/* Append an attribute; -1 if the request is full. */
int addattr_l(struct nlmsghdr *n, int maxlen, int type, const void *data, int alen);

/* Complain and exit. */
void incomplete_command(void) __attribute__((noreturn));
void invarg(const char *msg, const char *arg) __attribute__((noreturn));
void duparg(const char *key, const char *arg) __attribute__((noreturn));

/* 0 if @arg abbreviates @pattern. */
bool matches(const char *arg, const char *pattern);

/* Index of a device by name, 0 if there is none; and its name, "ifN" if it is gone. */
unsigned ll_name_to_index(const char *name);
const char *ll_index_to_name(unsigned idx);

/* JSON output; valid while is_json_context(). */
typedef struct json_writer json_writer_t;
bool is_json_context(void);
json_writer_t *get_json_writer(void);
void jsonw_string_field(json_writer_t *self, const char *prop, const char *val);
void jsonw_uint_field(json_writer_t *self, const char *prop, unsigned int num);

#endif
