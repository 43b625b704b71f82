// SPDX-License-Identifier: GPL-2.0-or-later
/* Any text as a configuration file: refused with a sentence, or a whole configuration. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "ike/app/config/config.h"

static void on_report(void *ctx, bool error, unsigned int line, const char *text)
{
	unsigned int *errors = ctx;

	(void)line;
	if (!text[0])
		abort();
	*errors += error;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	unsigned int errors = 0;
	struct config_report report = { .fn = on_report, .ctx = &errors };
	struct ike_tunnel_conf tunnel;
	struct config c;
	int err = config_parse("hq", (const char *)data, size, &c, &report);

	/* Refused means a reason was given, and only then. */
	if ((err != 0) != (errors != 0))
		abort();
	if (!err) {
		config_tunnel(&c, &tunnel);
		if (!tunnel.ike.n || !tunnel.esp.n || !tunnel.child[0].local_ts.n ||
		    !tunnel.child[0].remote_ts.n || !config_equal(&c, &c))
			abort();
		config_clear(&c);
	}
	return 0;
}
