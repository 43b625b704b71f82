/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The child SAs that a configuration file asks for: the pairs of selectors of a section, and what
 * becomes of them. Pure. Errors are one sentence without the name of the key.
 */
#ifndef ESPTUN_IKE_CHILDREN_H
#define ESPTUN_IKE_CHILDREN_H

#include "ike/core/core.h"

/* SelectorsPerChild. */
enum children_per {
	CHILDREN_AUTO, /* ALL if that grants nothing but the pairs, else ONE */
	CHILDREN_ONE, /* a child SA for each pair */
	CHILDREN_ALL, /* one child SA carries all pairs */
};

/* "LOCAL = REMOTE" may name several networks ("any" is two): those have one number. */
struct children_pair {
	unsigned int number;
	struct ike_ts local, remote;
};

/* What a section says; zero it, and give it back with children_clear(). */
struct children_section {
	char name[IKE_CHILD_NAME];
	unsigned int line; /* of the section's header */
	struct children_pair *pairs;
	unsigned int n_pairs, n_numbers;
	enum children_per per;
	enum ike_start start;
	bool start_given;
	enum ike_mode mode;
	bool mode_given;
};

/* What the children of a file are made of so far; free ->list. */
struct children {
	struct ike_child_conf *list;
	unsigned int n;
};

/* Add @text: "any", or LOCAL = REMOTE; it is written to. 0, or -1 with @err. */
int children_add_pair(struct children_section *s, char *text, char *err, size_t size);

/*
 * Append the child SAs of @s, which has a pair at least. 0, or -1 with @err: too many, pairs that
 * one child SA cannot carry without granting more, or pairs that overlap those of others.
 */
int children_make(struct children *c, const struct children_section *s, char *err, size_t size);

/* Free the pairs. */
void children_clear(struct children_section *s);

#endif
