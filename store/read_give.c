/* SPDX-License-Identifier: MIT */
/* read_give - raw rows into rows for a screen, dictionary texts joined, all copied; see read_rows.h. */
#include "store/read_rows.h"
#include "store/reply.h"

static int give_dict(
	struct reader *r, int64_t id, struct arena *a, struct str *out, struct mt_error *reterr)
{
	struct str text;
	int rc = dict_text(r, id, &text, reterr);

	if (rc < 0)
		return rc;
	*out = give_str(a, text, &rc);
	return rc < 0 ? arena_full(reterr) : 0;
}

/* local@domain; a domain that is gone from the dictionary is left out rather than made up. */
static int give_address(struct reader *r, struct str local, int64_t dom, struct arena *a,
	struct str *out, struct mt_error *reterr)
{
	struct str domain;
	int rc = dict_text(r, dom, &domain, reterr);

	if (rc < 0)
		return rc;
	buf_clear(&r->text);
	buf_add_str(&r->text, local);
	if (str_present(domain)) {
		buf_add_char(&r->text, '@');
		buf_add_str(&r->text, domain);
	}
	if (str_present(local) || str_present(domain))
		*out = give_str(a, buf_str(&r->text).p ? buf_str(&r->text) : STR_LIT(""), &rc);
	else
		*out = (struct str){NULL, 0};
	return rc < 0 ? arena_full(reterr) : 0;
}

/* The whole reply text and its template. */
static int give_reply(struct reader *r, int64_t reply, struct str args, struct arena *a,
	struct str *out, struct str *out_template, struct mt_error *reterr)
{
	struct str tmpl;
	int rc = dict_text(r, reply, &tmpl, reterr);

	*out = *out_template = (struct str){NULL, 0};
	if (rc < 0 || !str_present(tmpl))
		return rc;
	buf_clear(&r->text);
	rc = reply_join(tmpl, args, &r->text);
	if (rc < 0)
		return mt_error_set(reterr, (enum mt_err)rc, "a reply text is too long to show");
	*out_template = give_str(a, tmpl, &rc);
	*out = str_eq(buf_str(&r->text), tmpl) ? *out_template
					       : give_str(a, buf_str(&r->text), &rc);
	return rc < 0 ? arena_full(reterr) : 0;
}

int give_attempt(struct reader *r, const struct raw_attempt *a, const struct raw_message *m,
	struct arena *arena, struct attempt_row *out, struct mt_error *reterr)
{
	int rc = 0;

	*out = (struct attempt_row){.id = a->id,
		.message = a->message,
		.t_ms = a->t_ms,
		.provider = a->provider,
		.status = a->status,
		.dsn = a->dsn,
		.code = a->code,
		.stage = a->stage,
		.run = a->run,
		.handed_over = a->handed_over};
	memcpy(out->delay_cs, a->delay_cs, sizeof(out->delay_cs));
	out->orig = give_str(arena, a->orig, &rc);
	if (m)
		out->qid = give_str(arena, m->qid, &rc);
	if (rc < 0)
		return arena_full(reterr);
	rc = give_address(r, a->rcpt, a->dom, arena, &out->rcpt, reterr);
	if (rc == 0)
		rc = give_dict(r, a->dom, arena, &out->domain, reterr);
	if (rc == 0)
		rc = give_dict(r, a->relay, arena, &out->relay, reterr);
	if (rc == 0)
		rc = give_dict(r, a->egress, arena, &out->egress, reterr);
	if (rc == 0)
		rc = give_dict(r, a->tls, arena, &out->tls, reterr);
	if (rc == 0 && m)
		rc = give_address(r, m->from_local, m->from_dom, arena, &out->sender, reterr);
	if (rc == 0)
		rc = give_reply(
			r, a->reply, a->args, arena, &out->reply, &out->reply_template, reterr);
	return rc;
}

static int first_recipient(struct reader *r, const struct raw_message *m, struct arena *arena,
	struct str *out, struct mt_error *reterr)
{
	sqlite3_stmt *stmt;
	int rc;

	if (m->has_inline)
		return give_address(r, m->first.rcpt, m->first.dom, arena, out, reterr);
	rc = rd_prepare(r, READ_MESSAGE_FIRST_ATTEMPT, &stmt, reterr);
	if (rc < 0)
		return rc;
	rd_bind(stmt, 1, m->id);
	rc = rd_step(r, stmt, reterr);
	if (rc <= 0)
		return rc;
	rc = give_address(r, rd_str(stmt, 0), rd_id(stmt, 1), arena, out, reterr);
	sqlite3_reset(stmt);
	return rc;
}

int give_message(struct reader *r, const struct raw_message *m, struct arena *arena,
	struct message_row *out, struct mt_error *reterr)
{
	int rc = 0;

	*out = (struct message_row){.id = m->id,
		.t_ms = m->t_ms,
		.end_ms = m->end_ms,
		.provider = m->provider,
		.flags = m->flags,
		.sender_known = str_present(m->from_local),
		.size_bytes = m->size_bytes,
		.nrcpt = m->nrcpt,
		.runs = m->runs,
		.nsent = m->nsent,
		.nbounced = m->nbounced,
		.ndeferred = m->ndeferred,
		.parent = m->parent};
	out->qid = give_str(arena, m->qid, &rc);
	if (rc < 0)
		return arena_full(reterr);
	rc = give_dict(r, m->host, arena, &out->host, reterr);
	if (rc == 0)
		rc = give_dict(r, m->service, arena, &out->service, reterr);
	if (rc == 0)
		rc = give_dict(r, m->client, arena, &out->client, reterr);
	if (rc == 0)
		rc = give_dict(r, m->user, arena, &out->user, reterr);
	if (rc == 0)
		rc = give_address(r, m->from_local, m->from_dom, arena, &out->sender, reterr);
	if (rc == 0)
		rc = give_address(r, m->mid_local, m->mid_dom, arena, &out->message_id, reterr);
	if (rc == 0)
		rc = first_recipient(r, m, arena, &out->first_rcpt, reterr);
	return rc;
}

int give_reject(struct reader *r, const struct raw_reject *x, struct arena *arena,
	struct reject_row *out, struct mt_error *reterr)
{
	int rc = 0;

	*out = (struct reject_row){.id = x->id,
		.t_ms = x->t_ms,
		.provider = x->provider,
		.action = x->action,
		.stage = x->stage,
		.code = x->code,
		.dsn = x->dsn};
	out->word = give_str(arena, x->word, &rc);
	out->qid = give_str(arena, x->qid, &rc);
	out->from = give_str(arena, x->from, &rc);
	out->rcpt = give_str(arena, x->rcpt, &rc);
	out->helo = give_str(arena, x->helo, &rc);
	if (rc < 0)
		return arena_full(reterr);
	rc = give_dict(r, x->service, arena, &out->service, reterr);
	if (rc == 0)
		rc = give_dict(r, x->client, arena, &out->client, reterr);
	if (rc == 0)
		rc = give_reply(
			r, x->reply, x->args, arena, &out->reply, &out->reply_template, reterr);
	return rc;
}
