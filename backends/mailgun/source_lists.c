/* SPDX-License-Identifier: MIT */
/*
 * source_lists - suppression lists: alphabetical, so they can't be asked for what is new; walked whole, domain by domain
 * and list by list, going on after a restart at the page where the last batch ended.
 */
#include "backends/mailgun/source.h"

#include "store/base/scan.h"

#include <stdio.h>

#define PAGE_ROWS 1000

const char *const mailgun_lists[MAILGUN_LISTS] = {
	"bounces", "complaints", "unsubscribes", "whitelists"};

enum mailgun_shape mailgun_list_shape(size_t list)
{
	return (enum mailgun_shape)(MAILGUN_BOUNCES + (int)list);
}

enum api_list mailgun_api_list(size_t list)
{
	static const enum api_list lists[MAILGUN_LISTS] = {
		API_LIST_BOUNCES, API_LIST_COMPLAINTS, API_LIST_UNSUBSCRIBES, API_LIST_ALLOW};

	return lists[list];
}

static struct str scope_of(const struct mailgun *m)
{
	return str_of(m->domains[m->at[EP_SUPPRESSIONS]]);
}

static void first_page(struct mailgun *m)
{
	buf_clear(&m->supp_path);
	api_pager_init(&m->supp_pager);
	m->supp_begun = m->supp_resumed = false;
}

struct resume {
	struct mailgun *m;
	bool found;
};

/* on_cursor - "domain\nlist\npath" of the walk under way when the last batch was committed. */
static int on_cursor(void *ctx, struct str key, struct str value, int64_t updated_ms)
{
	struct resume *r = ctx;
	struct mailgun *m = r->m;
	struct str domain, list;

	(void)updated_ms;
	if (!str_eq(key, STR_LIT("walk")) || !scan_until(&value, '\n', &domain))
		return 0;
	value = str_skip(value, 1);
	if (!scan_until(&value, '\n', &list))
		return 0;
	value = str_skip(value, 1);
	for (size_t d = 0; d < m->ndomains; d++) {
		for (size_t l = 0; l < MAILGUN_LISTS; l++) {
			if (!str_eq(domain, str_of(m->domains[d])) ||
				!str_eq(list, str_of(mailgun_lists[l])))
				continue;
			m->at[EP_SUPPRESSIONS] = d;
			m->list = l;
			buf_clear(&m->supp_path);
			m->supp_resumed = value.n > 0 && buf_add_str(&m->supp_path, value) == 0;
			r->found = true;
		}
	}
	return 0;
}

int suppressions_begin(struct mailgun *m)
{
	struct resume r = {.m = m};
	struct mt_error ignored = {0};

	if (!m->domains_known)
		return -1;
	m->at[EP_SUPPRESSIONS] = m->list = 0;
	first_page(m);
	if (store_cursors(api_store(&m->api), m->api.env->source, on_cursor, &r, &ignored) < 0)
		first_page(m);
	return 0;
}

static int list_path(const struct mailgun *m, struct buf *out)
{
	return buf_add_z(out, "/v3/") | http_escape(out, scope_of(m)) | buf_add_z(out, "/") |
	       buf_add_z(out, mailgun_lists[m->list]);
}

int suppressions_next(struct mailgun *m, struct api_request *r, struct mt_error *reterr)
{
	if (m->at[EP_SUPPRESSIONS] >= m->ndomains)
		return 0;
	r->headers = m->headers[0] ? m->headers : NULL;
	if (m->supp_path.n)
		return buf_add_str(r->path, buf_str(&m->supp_path)) < 0
			       ? mt_error_set(reterr, MT_ELIMIT,
					 "the address of the next page is too long")
			       : 1;
	(void)list_path(m, r->path);
	(void)buf_printf(r->path, "?limit=%d", PAGE_ROWS);
	return 1;
}

static int remember(struct mailgun *m, struct mt_error *reterr)
{
	struct buf value;
	int rc;

	buf_init(&value, HTTP_PATH_MAX_BYTES + 600);
	(void)buf_add_str(&value, scope_of(m));
	(void)buf_printf(&value, "\n%s\n", mailgun_lists[m->list]);
	(void)buf_add_str(&value, buf_str(&m->supp_path));
	rc = store_cursor_set(
		api_store(&m->api), m->api.env->source, STR_LIT("walk"), buf_str(&value), reterr);
	buf_done(&value);
	return rc;
}

/* list_over - the next list, or the next domain's first. */
static int list_over(struct mailgun *m, struct mt_error *reterr)
{
	int rc = 0;

	if (m->supp_begun)
		rc = store_api_list_end(api_store(&m->api), api_provider(&m->api),
			mailgun_api_list(m->list), scope_of(m), !m->supp_pager.stuck, reterr);
	first_page(m);
	if (++m->list == MAILGUN_LISTS) {
		m->list = 0;
		m->at[EP_SUPPRESSIONS]++;
	}
	if (rc < 0 || m->at[EP_SUPPRESSIONS] >= m->ndomains)
		return rc;
	return remember(m, reterr);
}

struct page {
	struct mailgun_sink rows;
	struct buf next;
};

static int on_row(void *ctx, const struct api_suppression *row)
{
	struct page *p = ctx;

	return p->rows.suppression(p->rows.ctx, row);
}

static int on_next(void *ctx, struct str url)
{
	struct page *p = ctx;

	return buf_add_str(&p->next, url);
}

static int next_page(struct mailgun *m, struct str url, struct mt_error *reterr)
{
	struct buf prefix;
	int rc;

	buf_init(&prefix, HTTP_PATH_MAX_BYTES);
	(void)list_path(m, &prefix);
	(void)buf_add_z(&prefix, "?");
	rc = http_reroot(url, buf_str(&prefix), &m->supp_path, reterr);
	buf_done(&prefix);
	return rc < 0 ? rc : remember(m, reterr);
}

static int page_of(
	struct mailgun *m, struct page *p, const struct http_reply *reply, struct mt_error *reterr)
{
	struct mailgun_sink sink = {.suppression = on_row, .next = on_next, .ctx = p};
	struct mailgun_ask ask = {.shape = mailgun_list_shape(m->list), .domain = scope_of(m)};
	struct mailgun_result result;
	int rc = 0;

	if (!m->supp_begun)
		rc = store_api_list_begin(api_store(&m->api), api_provider(&m->api),
			mailgun_api_list(m->list), ask.domain, m->supp_resumed, reterr);
	m->supp_begun = rc == 0;
	if (rc == 0)
		rc = mailgun_parse(&ask, reply->body, &sink, &result, reterr);
	if (rc < 0)
		return rc;
	if (api_pager_next(&m->supp_pager, result.rows,
		    str_make((const char *)&result.mark, sizeof(result.mark)), buf_str(&p->next)))
		return next_page(m, buf_str(&p->next), reterr);
	if (!m->supp_pager.stuck)
		return list_over(m, reterr);
	rc = list_over(m, reterr);
	return rc < 0 ? rc
		      : mt_error_set(reterr, MT_EPROTO, "the pages of a suppression list repeat");
}

int suppressions_took(struct mailgun *m, const struct http_reply *reply, struct mt_error *reterr)
{
	struct page p = {.rows = mailgun_rows(m)};
	int rc;

	if (reply->rc == MT_ENOENT) { /* the domain is gone since */
		rc = list_over(m, reterr);
		return rc < 0 ? rc : 1;
	}
	if (reply->rc < 0)
		return mailgun_refused(reply, "", reterr);
	buf_init(&p.next, HTTP_PATH_MAX_BYTES);
	rc = page_of(m, &p, reply, reterr);
	buf_done(&p.next);
	return rc;
}

int suppressions_end(struct mailgun *m, bool complete, struct mt_error *reterr)
{
	int rc;

	if (!complete)
		return 0;
	m->walked_ms = api_now_ms(&m->api);
	rc = store_cursor_set(api_store(&m->api), m->api.env->source, STR_LIT("walk"),
		(struct str){NULL, 0}, reterr);
	return rc < 0 ? rc : mailgun_cursor(m, "walked", m->walked_ms, reterr);
}
