/* SPDX-License-Identifier: MIT */
/*
 * read_untold - figures that a log does not tell: unknown then, not 0.
 *
 * Which lines a server writes hangs on its settings (smtp_tls_loglevel, log_selector, a protocol log switched on), and
 * no log says what it leaves out. So a figure of this kind that a provider has not counted once, in all the cache
 * knows of it, is taken for untold. Of a Postfix that is TLS out alone: its other lines are always written.
 */
#include "store/read_slots.h"

#define TIME_MAX_S INT64_C(253402300800) /* end of the year 9999 */
#define BIT(m) (UINT64_C(1) << METRIC_##m)

/* What servers other than Postfix tell only here and there. */
#define SELDOM_TOLD                                                                                \
	(BIT(EXPIRED) | BIT(EXPIRED_RECIPIENTS) | BIT(REJECT_WARNINGS) | BIT(CONNECTIONS) |        \
		BIT(AUTH_OK) | BIT(AUTH_FAILED) | BIT(TLS) | BIT(NOTIFICATIONS) | BIT(HELD) |      \
		BIT(DISCARDED) | BIT(TLS_OUT) | BIT(HOST_FAILURES) | BIT(LOST) |                   \
		BIT(COUNTED_SESSIONS))

static uint64_t seldom_told(struct str kind)
{
	if (str_eq(kind, STR_LIT("postfix")))
		return BIT(TLS_OUT);
	/* refusals are in Exchange's protocol logs alone */
	return SELDOM_TOLD | (str_eq(kind, STR_LIT("exchange")) ? BIT(REJECTED) : 0);
}

struct local {
	int provider;
	uint64_t seldom, told;
};

static int tell(void *ctx, int64_t t_s, int metric, int64_t n)
{
	struct local *l = ctx;

	(void)t_s;
	if (n > 0 && metric < METRIC__COUNT)
		l->told |= UINT64_C(1) << metric;
	return (l->seldom & ~l->told) == 0;
}

static int told_ever(struct reader *r, struct local *l, struct mt_error *reterr)
{
	static const struct segment all[] = {{RES_DAY, 0, TIME_MAX_S}, {RES_EVER, 0, 1}};
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < sizeof(all) / sizeof(all[0]); i++)
		rc = counts_walk(r, &all[i], true, DIM_TOTAL, 0, l->provider, tell, l, reterr);
	return rc < 0 ? rc : 0;
}

int untold_metrics(struct reader *r, int provider, uint64_t *ret, struct mt_error *reterr)
{
	struct local locals[API_PROVIDERS_MAX];
	size_t n = 0;
	sqlite3_stmt *stmt;
	int rc = rd_prepare(r, READ_API_PROVIDERS, &stmt, reterr);

	*ret = 0;
	while (rc >= 0 && (rc = rd_step(r, stmt, reterr)) > 0)
		if (slot_resolution(rd_id(stmt, 1)) == 0 && n < API_PROVIDERS_MAX &&
			(!provider || rd_id(stmt, 0) == provider))
			locals[n++] = (struct local){
				(int)rd_id(stmt, 0), seldom_told(rd_str(stmt, 3)), 0};
	for (size_t i = 0; rc == 0 && i < n; i++) {
		rc = told_ever(r, &locals[i], reterr);
		if (!(locals[i].told & BIT(SENT)))
			locals[i].seldom &= ~BIT(TLS_OUT); /* nothing was to be told */
		if (!(locals[i].told & BIT(REJECTED)) && (locals[i].seldom & BIT(REJECTED)))
			locals[i].seldom |= BIT(REJECTED_TEMPORARY);
		if (locals[i].told) /* of a provider without a line nothing is left out */
			*ret |= locals[i].seldom & ~locals[i].told;
	}
	return rc;
}
