// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Log lines, and the last error of a tunnel: what the user reads about why it does not work.
 */
#include "ike/sa/layer_ikesa.h"

#include <stdarg.h>
#include <stdio.h>

void report_line(struct ike_core *core, enum ike_log_level level, const struct ike_tunnel *t,
		 const struct ike_sa *sa, const char *fmt, ...)
{
	char text[CORE_TEXT_MAX];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (!t && sa)
		t = sa->tunnel;
	core->env.log(core->env.ctx, level, t ? t->conf.name : NULL, sa ? sa->spi_i : NULL,
		      sa ? sa->spi_r : NULL, text);
}

void report_error(struct ike_core *core, struct ike_tunnel *t, const struct ike_sa *sa,
		  const char *fmt, ...)
{
	char text[CORE_TEXT_MAX];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (t) {
		memcpy(t->last_error, text, sizeof(text));
		t->last_error_at = core->now;
	}
	report_line(core, IKE_LOG_ERROR, t, sa, "%s", text);
}

/* Anyone can send from any address, so a source address alone does not disturb what works. */
static bool hint_is_credible(const struct ike_core *core, const struct ike_tunnel *t,
			     const struct ike_sa *sa, const struct ike_endpoint *from)
{
	if (!t || (sa && sa->initiator))
		return t;
	return t->state != IKE_TUNNEL_UP && core->now >= t->next_hint &&
	       (!t->remote.addr.family || ike_addr_eq(&t->remote.addr, &from->addr));
}

void report_hint(struct ike_core *core, struct ike_tunnel *t, const struct ike_sa *sa,
		 const struct ike_endpoint *from, const char *fmt, ...)
{
	char text[CORE_TEXT_MAX];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (!hint_is_credible(core, t, sa, from)) {
		report_line(core, IKE_LOG_INFO, NULL, sa, "stranger to %s: %s",
			    t ? t->conf.name : "all tunnels", text);
		return;
	}
	t->next_hint = core->now + TUNNEL_HINT_MS;
	report_error(core, t, sa, "%s", text);
}
