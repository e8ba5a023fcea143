/* SPDX-License-Identifier: MIT */
/* source_account - domains, their queues and DNS records; IPs, pools, warm-up; what the account and the key may do. */
#include "backends/mailgun/source.h"

#include "store/base/mem.h"

#include <stdio.h>
#include <stdlib.h>

#define DOMAINS_PAGE 1000
#define WARMUPS_PAGE 100
#define IPS_MAX 1000

void free_names(char **names, size_t n)
{
	for (size_t i = 0; i < n; i++)
		free(names[i]);
	free(names);
}

static void header(struct mailgun *m, struct api_request *r)
{
	r->headers = m->headers[0] ? m->headers : NULL;
}

int domains_next(struct mailgun *m, struct api_request *r)
{
	if (m->at[EP_DOMAINS] == SIZE_MAX)
		return 0;
	header(m, r);
	return buf_printf(r->path, "/v4/domains?limit=%d&skip=%zu%s", DOMAINS_PAGE,
		       m->at[EP_DOMAINS], m->subaccounts ? "&include_subaccounts=true" : "") < 0
		       ? MT_ELIMIT
		       : 1;
}

static bool wanted(const struct mailgun *m, struct str name)
{
	for (size_t i = 0; i < m->only.n; i++)
		if (str_ieq(name, str_of(m->only.names[i])))
			return true;
	return m->only.n == 0;
}

static int on_domain(void *ctx, const struct api_domain *row)
{
	struct mailgun *m = ctx;
	struct mailgun_sink rows = mailgun_rows(m);

	if (!wanted(m, row->name) || m->nfound == MAILGUN_DOMAINS_MAX)
		return 0;
	for (size_t i = 0; i < m->nfound; i++)
		if (str_eq(row->name, str_of(m->found[i])))
			return 0;
	m->found = xrealloc(m->found, (m->nfound + 1) * sizeof(m->found[0]));
	m->found[m->nfound++] = xmemdup(row->name.p, row->name.n);
	return rows.domain(rows.ctx, row);
}

int domains_took(struct mailgun *m, const struct http_reply *reply, struct mt_error *reterr)
{
	struct mailgun_sink sink = {.domain = on_domain, .ctx = m};
	struct mailgun_ask ask = {.shape = MAILGUN_DOMAINS};
	struct mailgun_result result;
	size_t before = m->nfound;
	int rc = 0;

	if (reply->rc < 0)
		return mailgun_refused(reply, "", reterr);
	if (m->at[EP_DOMAINS] == 0) {
		free_names(m->found, m->nfound);
		m->found = NULL;
		m->nfound = before = 0;
		rc = store_api_list_begin(api_store(&m->api), api_provider(&m->api),
			API_LIST_DOMAINS, STR_LIT(""), false, reterr);
	}
	if (rc == 0)
		rc = mailgun_parse(&ask, reply->body, &sink, &result, reterr);
	if (rc < 0)
		return rc;
	m->at[EP_DOMAINS] += result.rows;
	/* A page that brought no name not had before is the end, whatever total says. */
	if (result.rows == 0 ||
		(result.total != EVENT_UNKNOWN && (int64_t)m->at[EP_DOMAINS] >= result.total) ||
		(m->only.n == 0 && m->nfound == before))
		m->at[EP_DOMAINS] = SIZE_MAX;
	return 0;
}

int domains_end(struct mailgun *m, bool complete, struct mt_error *reterr)
{
	bool first = !m->domains_known;

	m->at[EP_DOMAINS] = 0;
	if (!complete)
		return 0;
	free_names(m->domains, m->ndomains);
	m->domains = m->found;
	m->ndomains = m->nfound;
	m->found = NULL;
	m->nfound = 0;
	m->domains_known = true;
	for (size_t e = EP_STATS; first && e <= EP_DNS; e++)
		if (!m->api.line[e].settled)
			api_soon(&m->api, e);
	return store_api_list_end(api_store(&m->api), api_provider(&m->api), API_LIST_DOMAINS,
		STR_LIT(""), true, reterr);
}

int per_domain_next(struct mailgun *m, size_t e, struct api_request *r)
{
	if (m->at[e] >= m->ndomains)
		return 0;
	header(m, r);
	(void)buf_add_z(r->path, e == EP_QUEUES ? "/v3/domains/" : "/v4/domains/");
	(void)http_escape(r->path, str_of(m->domains[m->at[e]]));
	return buf_add_z(r->path, e == EP_QUEUES ? "/sending_queues" : "") < 0 ? MT_ELIMIT : 1;
}

int per_domain_took(
	struct mailgun *m, size_t e, const struct http_reply *reply, struct mt_error *reterr)
{
	struct mailgun_sink sink = mailgun_rows(m);
	struct mailgun_ask ask = {.shape = e == EP_QUEUES ? MAILGUN_QUEUES : MAILGUN_DOMAIN,
		.domain = str_of(m->domains[m->at[e]])};

	if (reply->rc == MT_ENOENT) { /* gone since, or of another region */
		m->at[e]++;
		return 1;
	}
	if (reply->rc < 0)
		return mailgun_refused(reply, "", reterr);
	m->at[e]++;
	return mailgun_parse(&ask, reply->body, &sink, NULL, reterr);
}

enum ips_phase { PHASE_LIST, PHASE_POOLS, PHASE_WARMUPS, PHASE_DETAILS };

/* first_ip - the next address on warm-up to ask about. */
static struct str first_ip(const struct mailgun *m)
{
	struct str all = buf_str(&m->ips);

	return str_first(all, str_find_char(all, '\n'));
}

int ips_next(struct mailgun *m, struct api_request *r)
{
	int rc = 0;

	header(m, r);
	if (m->at[EP_IPS] == PHASE_DETAILS && m->ips.n == 0)
		return 0;
	switch ((enum ips_phase)m->at[EP_IPS]) {
	case PHASE_LIST:
		rc = buf_add_z(r->path, "/v3/ips");
		break;
	case PHASE_POOLS:
		rc = buf_add_z(r->path, "/v3/ip_pools");
		break;
	case PHASE_WARMUPS:
		rc = buf_printf(r->path, "/v3/ip_warmups?limit=%d&page=%u", WARMUPS_PAGE,
			m->ip_pager.pages);
		break;
	case PHASE_DETAILS:
		rc = buf_add_z(r->path, "/v3/ip_warmups/") | http_escape(r->path, first_ip(m));
		break;
	}
	return rc < 0 ? MT_ELIMIT : 1;
}

static int on_warmup(void *ctx, const struct api_ip *row)
{
	struct mailgun *m = ctx;
	struct mailgun_sink rows = mailgun_rows(m);

	if (m->at[EP_IPS] == PHASE_WARMUPS && str_find_char(row->ip, '\n') == row->ip.n) {
		(void)buf_add_str(&m->ips, row->ip);
		(void)buf_add_char(&m->ips, '\n');
	}
	return rows.ip(rows.ctx, row);
}

static int ips_page(struct mailgun *m, const struct http_reply *reply, struct mt_error *reterr)
{
	static const enum mailgun_shape shapes[] = {
		MAILGUN_IPS, MAILGUN_POOLS, MAILGUN_WARMUPS, MAILGUN_WARMUP};
	struct mailgun_sink sink = {.ip = on_warmup, .ctx = m};
	struct mailgun_ask ask = {.shape = shapes[m->at[EP_IPS]]};
	struct mailgun_result result;
	int rc = 0;

	if (ask.shape == MAILGUN_WARMUP)
		ask.ip = first_ip(m);
	if (ask.shape == MAILGUN_IPS)
		rc = store_api_list_begin(api_store(&m->api), api_provider(&m->api), API_LIST_IPS,
			STR_LIT(""), false, reterr);
	if (rc == 0)
		rc = mailgun_parse(&ask, reply->body, &sink, &result, reterr);
	if (rc < 0)
		return rc;
	if (ask.shape == MAILGUN_WARMUPS &&
		api_pager_next(&m->ip_pager, result.rows < WARMUPS_PAGE ? 0 : result.rows,
			str_make((const char *)&result.mark, sizeof(result.mark)), STR_LIT("next")))
		return 0;
	return 1;
}

int ips_took(struct mailgun *m, const struct http_reply *reply, struct mt_error *reterr)
{
	int rc = 1;

	/* No dedicated IPs, not in the plan, not warming: no fault. The list itself must be had. */
	if (reply->rc < 0 &&
		(m->at[EP_IPS] == PHASE_LIST || (reply->rc != MT_ENOENT && reply->rc != MT_EPERM)))
		return mailgun_refused(reply, "", reterr);
	if (reply->rc == 0)
		rc = ips_page(m, reply, reterr);
	if (rc < 0)
		return rc;
	if (m->at[EP_IPS] == PHASE_DETAILS)
		buf_drop_front(&m->ips, first_ip(m).n + 1);
	else if (rc == 1)
		m->at[EP_IPS]++;
	return 1;
}

int ips_end(struct mailgun *m, bool complete, struct mt_error *reterr)
{
	if (!complete)
		return 0;
	return store_api_list_end(
		api_store(&m->api), api_provider(&m->api), API_LIST_IPS, STR_LIT(""), true, reterr);
}

int account_next(struct mailgun *m, struct api_request *r)
{
	static const char *const paths[] = {"/v5/accounts/limit/custom/monthly", "/v5/users/me"};

	if (m->at[EP_ACCOUNT] >= 2)
		return 0;
	header(m, r);
	return buf_add_z(r->path, paths[m->at[EP_ACCOUNT]]) < 0 ? MT_ELIMIT : 1;
}

int account_took(struct mailgun *m, const struct http_reply *reply, struct mt_error *reterr)
{
	struct mailgun_sink sink = mailgun_rows(m);
	struct mailgun_ask ask = {.shape = m->at[EP_ACCOUNT] == 0 ? MAILGUN_LIMIT : MAILGUN_ME};

	m->at[EP_ACCOUNT]++;
	/* No limit set, or a key that is nobody's: there is nothing to tell. */
	if (reply->rc == MT_ENOENT || reply->rc == MT_EPERM)
		return 1;
	if (reply->rc < 0)
		return mailgun_refused(reply, "", reterr);
	return mailgun_parse(&ask, reply->body, &sink, NULL, reterr);
}
