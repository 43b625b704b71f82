/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Members of what the agent answers. One that is absent, or of another type, is "" or 0.
 */
#ifndef CLI_REPLY_H
#define CLI_REPLY_H

#include <jansson.h>

static inline const char *reply_text(json_t *o, const char *key)
{
	const char *s = json_string_value(json_object_get(o, key));

	return s ? s : "";
}

static inline json_int_t reply_number(json_t *o, const char *key)
{
	return json_integer_value(json_object_get(o, key));
}

#endif
