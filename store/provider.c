/* SPDX-License-Identifier: MIT */
/* provider - providers, sources, cursors and the service -> port map. */
#include "store/writer.h"

#include "store/base/mem.h"
#include "store/ports.h"

#include <stdlib.h>

#define PROVIDERS_MAX 4096 /* buckets have 16 bits for it; nobody runs that many */
#define SERVICES_MAX 1000 /* listening services of one instance */

struct provider_state *provider_state(struct store *s, int provider)
{
	for (size_t i = 0; i < s->nproviders; i++)
		if (s->providers[i].id == provider)
			return &s->providers[i];
	return NULL;
}

static struct provider_state *know(struct store *s, int id)
{
	struct provider_state *p = provider_state(s, id);

	if (p)
		return p;
	s->providers = xrealloc(s->providers, (s->nproviders + 1) * sizeof(s->providers[0]));
	p = &s->providers[s->nproviders++];
	*p = (struct provider_state){.id = id};
	return p;
}

static int load_services(struct store *s, struct provider_state *p, struct mt_error *reterr)
{
	sqlite3_stmt *stmt = db_stmt(&s->db, SQL_SERVICE_LIST, reterr);
	int rc;

	if (!stmt)
		return (int)reterr->code;
	p->nservices = 0;
	bind_int(stmt, 1, p->id);
	while ((rc = db_row(&s->db, stmt, reterr)) > 0) {
		p->services = xrealloc(p->services, (p->nservices + 1) * sizeof(p->services[0]));
		p->services[p->nservices++] =
			(struct service_known){.dict = sqlite3_column_int(stmt, 0),
				.wrapper = sqlite3_column_type(stmt, 1) == SQLITE_NULL
						   ? EVENT_UNKNOWN
						   : sqlite3_column_int(stmt, 1)};
	}
	return rc;
}

int provider_load(struct store *s, struct mt_error *reterr)
{
	sqlite3_stmt *stmt = db_stmt(&s->db, SQL_PROVIDER_LIST, reterr);
	int rc;

	if (!stmt)
		return (int)reterr->code;
	while ((rc = db_row(&s->db, stmt, reterr)) > 0)
		know(s, sqlite3_column_int(stmt, 0));
	for (size_t i = 0; rc == 0 && i < s->nproviders; i++)
		rc = load_services(s, &s->providers[i], reterr);
	return rc;
}

static int find_or_insert(struct store *s, sqlite3_stmt *find, sqlite3_stmt *insert, int *ret_id,
	struct mt_error *reterr)
{
	int64_t id = 0;
	int rc = db_int(&s->db, find, 0, &id, reterr);

	if (rc == 0 && id == 0) {
		rc = txn_begin(s, reterr);
		if (rc < 0)
			return rc;
		rc = db_run(&s->db, insert, reterr);
		id = sqlite3_last_insert_rowid(s->db.handle); /* txn_end inserts texts */
		rc = txn_end(s, rc, reterr);
	}
	if (rc == 0)
		*ret_id = (int)id;
	return rc;
}

int store_provider(struct store *s, const char *name, const char *kind, const char *host,
	int *ret_id, struct mt_error *reterr)
{
	struct mt_error local;
	sqlite3_stmt *find, *insert;
	int id = 0, rc;

	reterr = reterr ? reterr : &local;
	if (s->nproviders >= PROVIDERS_MAX)
		return mt_error_set(reterr, MT_ELIMIT, "cache: too many providers");
	find = db_stmt(&s->db, SQL_PROVIDER_FIND, reterr);
	insert = db_stmt(&s->db, SQL_PROVIDER_INSERT, reterr);
	if (!find || !insert)
		return (int)reterr->code;
	bind_str(find, 1, str_of(name));
	bind_str(insert, 1, str_of(name));
	bind_str(insert, 2, str_of(kind));
	bind_str(insert, 3, str_of(host));
	rc = find_or_insert(s, find, insert, &id, reterr);
	if (rc < 0)
		return rc;
	know(s, id);
	*ret_id = id;
	if (!host)
		return 0;
	find = db_stmt(&s->db, SQL_PROVIDER_HOST, reterr);
	if (!find)
		return (int)reterr->code;
	bind_int(find, 1, id);
	bind_str(find, 2, str_of(host));
	return db_run(&s->db, find, reterr);
}

int store_active_limit(struct store *s, int provider, int64_t limit, struct mt_error *reterr)
{
	struct mt_error local;
	sqlite3_stmt *stmt;

	reterr = reterr ? reterr : &local;
	if (!provider_state(s, provider))
		return mt_error_set(reterr, MT_EINVAL, "cache: no provider %d", provider);
	stmt = db_stmt(&s->db, SQL_PROVIDER_ACTIVE_LIMIT, reterr);
	if (!stmt)
		return (int)reterr->code;
	bind_int(stmt, 1, provider);
	if (limit > 0)
		bind_int(stmt, 2, limit);
	return db_run(&s->db, stmt, reterr);
}

int store_source(
	struct store *s, int provider, const char *name, int *ret_id, struct mt_error *reterr)
{
	struct mt_error local;
	sqlite3_stmt *find, *insert;

	reterr = reterr ? reterr : &local;
	if (!provider_state(s, provider))
		return mt_error_set(reterr, MT_EINVAL, "cache: no provider %d", provider);
	find = db_stmt(&s->db, SQL_SOURCE_FIND, reterr);
	insert = db_stmt(&s->db, SQL_SOURCE_INSERT, reterr);
	if (!find || !insert)
		return (int)reterr->code;
	bind_int(find, 1, provider);
	bind_str(find, 2, str_of(name));
	bind_int(insert, 1, provider);
	bind_str(insert, 2, str_of(name));
	return find_or_insert(s, find, insert, ret_id, reterr);
}

void store_log_position(struct store *s, int provider, struct str log_key)
{
	struct provider_state *p = provider_state(s, provider);

	if (!p || (p->log_key && str_eq((struct str){p->log_key, p->log_key_n}, log_key)))
		return;
	free(p->log_key);
	p->log_key = log_key.n ? xmemdup(log_key.p, log_key.n) : NULL;
	p->log_key_n = log_key.n;
	p->batch_key = (struct str){NULL, 0};
	if (p->started)
		p->has_offset =
			false; /* another file: its first line may have the offset of our last one */
	p->started = true;
}

int store_cursor_set(
	struct store *s, int source, struct str key, struct str value, struct mt_error *reterr)
{
	struct str key_copy = batch_str(s, key), value_copy = batch_str(s, value);
	struct cursor_change *all = s->batch.cursors.p, *made = NULL;

	if (!str_present(key_copy) || str_present(value) != str_present(value_copy))
		return mt_error_set(reterr, MT_ENOMEM, "cache: the batch is too large");
	for (size_t i = 0; i < s->batch.cursors.n; i++)
		if (all[i].source == source && str_eq(all[i].key, key))
			made = &all[i];
	if (!made)
		made = vec_add(&s->batch.cursors);
	*made = (struct cursor_change){.source = source, .key = key_copy, .value = value_copy};
	return 0;
}

int store_cursors(struct store *s, int source,
	int (*each)(void *ctx, struct str key, struct str value, int64_t updated_ms), void *ctx,
	struct mt_error *reterr)
{
	struct mt_error local;
	sqlite3_stmt *stmt = db_stmt(&s->db, SQL_CURSOR_LIST, reterr ? reterr : &local);
	int rc;

	reterr = reterr ? reterr : &local;
	if (!stmt)
		return (int)reterr->code;
	bind_int(stmt, 1, source);
	while ((rc = db_row(&s->db, stmt, reterr)) > 0) {
		int stop = each(ctx, column_str(stmt, 0), column_str(stmt, 1),
			sqlite3_column_int64(stmt, 2));

		if (stop) {
			sqlite3_reset(stmt);
			return stop;
		}
	}
	return rc;
}

static const struct service_known *known(const struct provider_state *p, int32_t dict)
{
	for (size_t i = 0; i < p->nservices; i++)
		if (p->services[i].dict == dict)
			return &p->services[i];
	return NULL;
}

void service_seen(struct store *s, struct provider_state *p, int32_t dict, struct str tag)
{
	struct service_change *made;
	int wrapper, port;

	if (!dict || !ports_listens(tag) || known(p, dict) || p->nservices >= SERVICES_MAX)
		return;
	port = ports_stock(tag, &wrapper);
	made = vec_add(&s->batch.services);
	*made = (struct service_change){.provider = p->id,
		.dict = dict,
		.port = port,
		.source = port > 0 ? PORT_BY_STOCK_NAME : PORT_UNKNOWN,
		.wrapper = wrapper};
	p->services = xrealloc(p->services, (p->nservices + 1) * sizeof(p->services[0]));
	p->services[p->nservices++] = (struct service_known){dict, wrapper};
}

bool service_wrapper(const struct provider_state *p, int32_t dict)
{
	const struct service_known *found = known(p, dict);

	return found && found->wrapper == 1;
}

static int set_service(
	struct store *s, int provider, const struct service_row *row, struct mt_error *reterr)
{
	sqlite3_stmt *stmt = db_stmt(&s->db, SQL_SERVICE_SET, reterr);
	int32_t dict = 0;
	int rc = intern_id(&s->dict, &s->db, DICT_SERVICE, row->tag,
		(int32_t)(clock_utc_ms(s->clock) / MS_PER_DAY), &dict, reterr);

	if (!stmt || rc < 0)
		return (int)reterr->code;
	bind_int(stmt, 1, provider);
	bind_int(stmt, 2, dict);
	bind_id(stmt, 3, row->port);
	bind_int(stmt, 4, row->source);
	bind_known(stmt, 5, row->wrapper);
	bind_str(stmt, 6, row->note);
	return db_run(&s->db, stmt, reterr);
}

int store_services(struct store *s, int provider, const struct service_row *rows, size_t n,
	struct mt_error *reterr)
{
	struct mt_error local;
	struct provider_state *p = provider_state(s, provider);
	sqlite3_stmt *stmt;
	int rc;

	reterr = reterr ? reterr : &local;
	if (!p)
		return mt_error_set(reterr, MT_EINVAL, "cache: no provider %d", provider);
	rc = txn_begin(s, reterr);
	if (rc < 0)
		return rc;
	stmt = db_stmt(&s->db, SQL_SERVICE_CLEAR, reterr);
	if (stmt) {
		bind_int(stmt, 1, provider);
		rc = db_run(&s->db, stmt, reterr);
	} else {
		rc = (int)reterr->code;
	}
	for (size_t i = 0; rc == 0 && i < n; i++)
		rc = set_service(s, provider, &rows[i], reterr);
	rc = txn_end(s, rc, reterr);
	return rc < 0 ? rc : load_services(s, p, reterr);
}
