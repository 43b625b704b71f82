// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Exchanges of ours as objects: from the queue of their IKE SA to their end.
 */
#include "ike/core/layer_ikesa.h"

#include <stdlib.h>

struct exchange *exchange_new(const struct exchange_ops *ops, uint32_t spi)
{
	struct exchange *x = calloc(1, sizeof(*x));

	if (!x)
		return NULL;
	x->ops = ops;
	x->spi = spi;
	return x;
}

void exchange_end(struct ike_core *core, struct ike_sa *sa, struct exchange *x)
{
	if (!x)
		return;
	if (x->ops->end)
		x->ops->end(core, sa, x);
	free(x);
}

void exchange_end_queue(struct ike_core *core, struct ike_sa *sa)
{
	struct exchange *x;

	while ((x = TAILQ_FIRST(&sa->queue))) {
		TAILQ_REMOVE(&sa->queue, x, link);
		exchange_end(core, sa, x);
	}
}

void exchange_end_all(struct ike_core *core, struct ike_sa *sa)
{
	exchange_end(core, sa, ikesa_take_out(sa));
	exchange_end_queue(core, sa);
}

static bool makes_pair(const struct exchange *x, unsigned int conf)
{
	return x->ops->makes_pair && (conf == CHILD_ANY || x->conf == conf);
}

bool exchange_makes_pair(const struct ike_sa *sa, unsigned int conf)
{
	const struct exchange *x;

	if (sa->out && makes_pair(sa->out, conf))
		return true;
	TAILQ_FOREACH(x, &sa->queue, link)
	{
		if (makes_pair(x, conf))
			return true;
	}
	return false;
}

struct exchange *exchange_find(const struct ike_sa *sa, const struct exchange_ops *ops,
			       uint32_t spi)
{
	struct exchange *x;

	if (sa->out && sa->out->ops == ops && sa->out->spi == spi)
		return sa->out;
	TAILQ_FOREACH(x, &sa->queue, link)
	{
		if (x->ops == ops && x->spi == spi)
			return x;
	}
	return NULL;
}
