/* SPDX-License-Identifier: MIT */
/*
 * read_users - who logged in to send: messages of a window by sasl_username.
 *
 * No bucket counts by user: rows are looked through, newest first, as far back as SCAN_ROWS_MAX allows.
 */
#include "store/base/map.h"
#include "store/read_rows.h"

#include <stdlib.h>

#define MS_PER_S 1000

struct users {
	struct reader *r;
	struct rows rows; /* struct user_row */
	struct rows clients; /* int64_t: dict id of the newest client, one a row */
	struct map index; /* user id -> row number + 1 */
	struct map pairs; /* user id, client id: seen */
	struct mt_error *reterr;
};

struct pair {
	int64_t user, client;
};

static struct str key_of(const void *bytes, size_t n)
{
	return str_make(bytes, n);
}

static struct user_row *row_of(struct users *u, const struct raw_message *m)
{
	bool made;
	uint64_t *at = map_ref(&u->index, key_of(&m->user, sizeof(m->user)), &made);
	struct user_row *row;
	int64_t *client;

	if (!made)
		return &((struct user_row *)(void *)u->rows.p)[*at - 1];
	row = rows_add(&u->rows);
	client = row ? rows_add(&u->clients) : NULL;
	if (!client)
		return NULL;
	*at = u->rows.n;
	*client = m->client;
	*row = (struct user_row){.key = m->user, .nrcpt = EVENT_UNKNOWN, .newest_ms = m->t_ms};
	return row;
}

static int count(struct users *u, const struct raw_message *m)
{
	struct pair pair = {m->user, m->client};
	struct user_row *row = row_of(u, m);
	bool made;

	if (!row)
		return mt_error_set(u->reterr, MT_ENOMEM, "not enough memory for the users");
	row->messages++;
	if (m->nrcpt > 0)
		row->nrcpt = m->nrcpt + (row->nrcpt > 0 ? row->nrcpt : 0);
	row->sent += m->nsent > 0 ? m->nsent : 0;
	row->deferred += m->ndeferred > 0 ? m->ndeferred : 0;
	row->bounced += m->nbounced > 0 ? m->nbounced : 0;
	if (m->client) {
		map_ref(&u->pairs, key_of(&pair, sizeof(pair)), &made);
		row->nclients += made;
	}
	return 0;
}

static int one(struct users *u, const struct filter *f, const struct window *w,
	const struct message_walk *walk, struct raw_message *m)
{
	int rc = 0;

	if (m->t_ms < w->from_s * MS_PER_S || m->t_ms >= w->to_s * MS_PER_S ||
		(f->q->provider && m->provider != f->q->provider))
		return 0;
	if (!m->user || (m->flags & MESSAGE_NOT_COUNTED))
		return 0;
	if (f->q->text.n > 0)
		rc = message_walk_texts(u->r, walk, m, u->reterr);
	if (rc == 0)
		rc = filter_message(u->r, f, m, u->reterr);
	return rc > 0 ? count(u, m) : rc;
}

static int scan(struct users *u, const struct query *q, const struct window *w)
{
	int64_t left = SCAN_ROWS_MAX;
	struct filter f;
	struct id_range ids;
	struct message_walk walk;
	struct raw_message m;
	int rc = filter_init(u->r, q, &f, u->reterr);

	if (rc == 0)
		rc = window_ids(u->r, q->provider, w->from_s * MS_PER_S, w->to_s * MS_PER_S,
			MARK_MESSAGE, &ids, u->reterr);
	if (rc < 0 || f.impossible)
		return rc;
	rc = message_walk_begin(u->r, &ids, &walk, u->reterr);
	if (rc < 0)
		return rc;
	while ((rc = message_walk_next(u->r, &walk, &m, u->reterr)) > 0) {
		if (left-- == 0) {
			u->r->truncated = true;
			break;
		}
		rc = one(u, &f, w, &walk, &m);
		if (rc < 0)
			break;
	}
	message_walk_end(&walk);
	return rc < 0 ? rc : 0;
}

static int most_first(const void *left, const void *right)
{
	const struct user_row *a = left, *b = right;

	if (a->messages != b->messages)
		return a->messages > b->messages ? -1 : 1;
	return (a->key > b->key) - (a->key < b->key);
}

/* The names, before sorting parts rows from their clients. */
static int name_rows(struct users *u, struct arena *a)
{
	struct user_row *rows = (void *)u->rows.p;
	const int64_t *clients = (const void *)u->clients.p;
	struct str text;
	int rc = 0, full = 0;

	for (size_t i = 0; i < u->rows.n && rc == 0; i++) {
		rc = dict_text(u->r, rows[i].key, &text, u->reterr);
		if (rc == 0)
			rows[i].user = give_str(a, text, &full);
		if (rc == 0)
			rc = dict_text(u->r, clients[i], &text, u->reterr);
		if (rc == 0)
			rows[i].client = give_str(a, text, &full);
	}
	return rc == 0 && full < 0 ? arena_full(u->reterr) : rc;
}

int read_users(struct reader *r, const struct query *q, struct arena *a, struct user_row **ret,
	size_t *ret_n, struct mt_error *reterr)
{
	struct users u = {.r = r,
		.rows = {.item = sizeof(struct user_row)},
		.clients = {.item = sizeof(int64_t)},
		.reterr = reterr};
	struct window w;
	void *given;
	int rc = window_read(r, q, &w, reterr);

	map_init(&u.index);
	map_init(&u.pairs);
	if (rc == 0)
		rc = scan(&u, q, &w);
	if (rc == 0)
		rc = name_rows(&u, a);
	if (rc == 0 && u.rows.n)
		qsort(u.rows.p, u.rows.n, sizeof(struct user_row), most_first);
	if (rc == 0)
		rc = rows_give(&u.rows, read_limit(q), a, &given, ret_n, reterr);
	if (rc == 0)
		*ret = given;
	map_done(&u.index);
	map_done(&u.pairs);
	rows_free(&u.rows);
	rows_free(&u.clients);
	return rc;
}
