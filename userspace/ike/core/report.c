// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Log lines, and the last error of a tunnel: what the user reads about why it does not work.
 */
#include "ike/core/layer_ikesa.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

void report_line(struct ike_core *core, enum ike_log_level level, const struct ike_peer *p,
		 const struct ike_sa *sa, const char *fmt, ...)
{
	char text[CORE_TEXT_MAX];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (!p && sa)
		p = sa->peer;
	core->env.log(core->env.ctx, level, p ? p->conf->name : NULL, sa ? sa->spi_i : NULL,
		      sa ? sa->spi_r : NULL, text);
}

void report_forget_error(struct ike_peer *p)
{
	free(p->last_error);
	p->last_error = NULL;
	p->fault = IKE_FAULT_NONE;
}

/* How far the IKE SA came says what an error of it is about. */
static enum ike_fault find_fault(const struct ike_sa *sa)
{
	if (!sa || sa->state == IKESA_INIT_SENT)
		return IKE_FAULT_INIT;
	if (sa->state == IKESA_HALF_OPEN || sa->state == IKESA_AUTH_SENT)
		return sa->setup && sa->setup->out_of_time ? IKE_FAULT_CLOCK : IKE_FAULT_AUTH;
	return IKE_FAULT_CHILD;
}

/* @p may be NULL. */
static void note_error(struct ike_core *core, struct ike_peer *p, const struct ike_sa *sa,
		       enum ike_fault fault, const char *text)
{
	if (p) {
		report_forget_error(p);
		p->last_error = strdup(text);
		p->last_error_at = core->now;
		p->fault = fault;
	}
	report_line(core, IKE_LOG_ERROR, p, sa, "%s", text);
}

void report_error(struct ike_core *core, struct ike_peer *p, const struct ike_sa *sa,
		  const char *fmt, ...)
{
	char text[CORE_TEXT_MAX];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	note_error(core, p, sa, find_fault(sa), text);
}

void report_silence(struct ike_core *core, struct ike_peer *p, const struct ike_sa *sa,
		    const char *fmt, ...)
{
	char text[CORE_TEXT_MAX];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	note_error(core, p, sa, IKE_FAULT_SILENCE, text);
}

/* Anyone can send from any address, so a source address alone does not disturb what works. */
static bool hint_is_credible(const struct ike_core *core, const struct ike_peer *p,
			     const struct ike_sa *sa, const struct ike_endpoint *from)
{
	if (!p || (sa && sa->began))
		return p;
	return p->state != IKE_TUNNEL_UP && core->now >= p->next_hint &&
	       (!p->remote.addr.family || ike_addr_eq(&p->remote.addr, &from->addr));
}

void report_hint(struct ike_core *core, struct ike_peer *p, const struct ike_sa *sa,
		 const struct ike_endpoint *from, const char *fmt, ...)
{
	char text[CORE_TEXT_MAX];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (hint_is_credible(core, p, sa, from)) {
		p->next_hint = core->now + PEER_HINT_MS;
		report_error(core, p, sa, "%s", text);
	} else if (p && sa && sa->setup && sa->setup->has_cert_key && core->now >= p->next_hint) {
		p->next_hint = core->now + PEER_HINT_MS;
		report_line(core, IKE_LOG_WARN, p, sa, "%s", text);
	} else {
		report_line(core, IKE_LOG_INFO, NULL, sa, "stranger to %s: %s",
			    p ? p->conf->name : "all tunnels", text);
	}
}
