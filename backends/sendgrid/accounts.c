/* SPDX-License-Identifier: MIT */
/* accounts - the key's own account and its subusers: who they are, and where reading of each stands (cursors). */
#include "backends/sendgrid/sendgrid.h"
#include "store/base/mem.h"
#include "store/base/scan.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#define DAY_MS INT64_C(86400000)
#define LOGS_KEPT_MS (30 * DAY_MS) /* by the vendor */

static char *cursor_key(const struct sendgrid *s, size_t e, size_t account)
{
	return xasprintf("%s/%s", sendgrid_endpoint_name((enum sendgrid_endpoint)e),
		s->accounts[account].name);
}

int sendgrid_cursor_save(struct sendgrid *s, size_t e, size_t account, struct mt_error *reterr)
{
	struct account *who = &s->accounts[account];
	char *key = cursor_key(s, e, account);
	char value[64];
	int rc;

	if (sendgrid_is_logs(e))
		snprintf(value, sizeof(value), "%" PRId64, who->logs.done_s);
	else
		snprintf(value, sizeof(value), "%" PRId64 " %" PRId64,
			who->lists[e - SENDGRID_BOUNCES].since_s,
			who->lists[e - SENDGRID_BOUNCES].full_ms);
	rc = store_cursor_set(
		api_store(&s->api), s->api.env->source, str_of(key), str_of(value), reterr);
	free(key);
	return rc;
}

struct reading { /* cursors into one account */
	struct sendgrid *s;
	size_t account;
	int64_t since_s; /* of logs */
};

static void take(struct reading *r, size_t e, struct str value)
{
	struct account *who = &r->s->accounts[r->account];
	uint64_t one = 0, two = 0;

	if (!scan_u64(&value, 15, INT64_MAX, &one))
		return;
	if (scan_lit(&value, STR_LIT(" ")) && !scan_u64(&value, 15, INT64_MAX, &two))
		return;
	if (sendgrid_is_logs(e))
		r->since_s = (int64_t)one;
	else
		who->lists[e - SENDGRID_BOUNCES] = (struct list_cursor){(int64_t)one, (int64_t)two};
}

static int each_cursor(void *ctx, struct str key, struct str value, int64_t updated_ms)
{
	struct reading *r = ctx;

	(void)updated_ms;
	for (size_t e = 0; e < SENDGRID__ENDPOINTS; e++) {
		char *own = sendgrid_is_list(e) || sendgrid_is_logs(e)
				    ? cursor_key(r->s, e, r->account)
				    : NULL;

		if (own && str_eq(key, str_of(own)))
			take(r, e, value);
		free(own);
	}
	return 0;
}

/* read_cursors - where an account stood; a new one begins as far back as configured. */
static int read_cursors(struct sendgrid *s, size_t account, struct mt_error *reterr)
{
	int64_t back = s->history_ms < LOGS_KEPT_MS ? s->history_ms : LOGS_KEPT_MS;
	struct reading r = {s, account, 0};
	int rc = store_cursors(api_store(&s->api), s->api.env->source, each_cursor, &r, reterr);

	slices_init(&s->accounts[account].logs, (api_now_ms(&s->api) - back) / 1000, r.since_s);
	return rc;
}

static void add(struct sendgrid *s, struct str name)
{
	struct account *who;

	s->accounts = xrealloc(s->accounts, (s->naccounts + 1) * sizeof(s->accounts[0]));
	who = &s->accounts[s->naccounts++];
	*who = (struct account){.name = xmemdup(name.n ? name.p : "", name.n), .id = EVENT_UNKNOWN};
	if (name.n)
		who->header = xasprintf("on-behalf-of: %s", who->name);
}

static bool name_ok(struct str name)
{
	for (size_t i = 0; i < name.n; i++)
		if ((unsigned char)name.p[i] <= ' ' || name.p[i] == 127)
			return false;
	return name.n && name.n <= SENDGRID_NAME_MAX_BYTES;
}

int sendgrid_accounts_open(struct sendgrid *s, const char *section, struct mt_error *reterr)
{
	size_t n;
	const char *const *names =
		conf_list(s->api.env->conf, SENDGRID_SECTION, section, "subusers", &n);
	int rc;

	add(s, STR_LIT(""));
	rc = read_cursors(s, 0, reterr);
	for (size_t i = 0; i < n && rc == 0; i++) {
		struct str name = str_of(names[i]);

		if (str_eq(name, STR_LIT("*"))) {
			s->all_subusers = true;
			continue;
		}
		if (!name_ok(name) || s->naccounts >= SENDGRID_ACCOUNTS_MAX)
			return mt_error_set(
				reterr, MT_ECONFIG, "subusers: %.60s is no name", names[i]);
		add(s, name);
		rc = read_cursors(s, s->naccounts - 1, reterr);
	}
	s->subusers_known = s->naccounts == 1 && !s->all_subusers;
	return rc;
}

void sendgrid_accounts_close(struct sendgrid *s)
{
	for (size_t i = 0; i < s->naccounts; i++) {
		free(s->accounts[i].name);
		free(s->accounts[i].header);
	}
	free(s->accounts);
	s->accounts = NULL;
	s->naccounts = 0;
}

void sendgrid_account_found(struct sendgrid *s, struct str name, int64_t id)
{
	for (size_t i = 1; i < s->naccounts; i++) {
		if (str_eq(name, str_of(s->accounts[i].name))) {
			s->accounts[i].id = id;
			return;
		}
	}
	if (!s->all_subusers || s->naccounts >= SENDGRID_ACCOUNTS_MAX || !name_ok(name))
		return;
	add(s, name);
	s->accounts[s->naccounts - 1].id = id;
	if (read_cursors(s, s->naccounts - 1, NULL) < 0)
		slices_init(&s->accounts[s->naccounts - 1].logs,
			(api_now_ms(&s->api) - s->history_ms) / 1000, 0);
}
