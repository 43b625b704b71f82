// SPDX-License-Identifier: GPL-2.0-or-later
/* Any bytes as a request for metrics: what was judged stays so, however much follows. */
#include <stdint.h>
#include <stdlib.h>

#include "ike/app/ctl/scrape.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct scrape_head whole = scrape_parse((const char *)data, size);

	for (size_t len = 0; len < size && len < 512; len++) {
		struct scrape_head part = scrape_parse((const char *)data, len);

		if (part.status &&
		    (part.status != whole.status || part.openmetrics != whole.openmetrics))
			abort();
	}
	return 0;
}
