/* SPDX-License-Identifier: MIT */
/* instances - see instances.h. */
#include "backends/instances.h"

#include "backends/logfile.h"
#include "backends/registry.h"
#include "store/base/mem.h"
#include "store/base/utf8.h"

#include <stdlib.h>
#include <string.h>

#define HEAD_BYTES 16384 /* some hundred lines: enough to know a mail log by */
#define SHOWN_BYTES 60

static char *copy(const char *text)
{
	return text ? xstrdup(text) : NULL;
}

void instances_add(
	struct instances *list, const struct backend_ops *family, const struct instance_def *def)
{
	struct instance *i = xcalloc(1, sizeof(*i));
	char **logs = xcalloc(def->nlogs + 1, sizeof(logs[0]));

	for (size_t n = 0; n < def->nlogs; n++)
		logs[n] = xstrdup(def->logs[n]);
	i->family = family;
	i->def = *def;
	i->def.family = family->name;
	i->def.name = copy(def->name);
	i->def.host = copy(def->host);
	i->def.config_dir = copy(def->config_dir);
	i->def.spool_dir = copy(def->spool_dir);
	i->def.syslog_name = copy(def->syslog_name);
	i->def.journal_folder = copy(def->journal_folder);
	i->def.section = copy(def->section);
	i->def.key_path = copy(def->key_path);
	i->def.ca_path = copy(def->ca_path);
	i->def.logs = (const char *const *)logs;
	list->all = xrealloc(list->all, (list->n + 1) * sizeof(list->all[0]));
	list->all[list->n++] = i;
}

struct finding {
	struct instances *list;
	const struct backend_ops *family;
};

static int found(void *ctx, const struct instance_def *def)
{
	struct finding *f = ctx;

	instances_add(f->list, f->family, def);
	return 0;
}

static const struct backend_ops *family_of(struct str head)
{
	const struct backend_ops *best = NULL;
	int sure = 0;

	for (size_t i = 0; backend_table[i]; i++) {
		int n = backend_table[i]->looks_like ? backend_table[i]->looks_like(head) : 0;

		if (n > sure) {
			sure = n;
			best = backend_table[i];
		}
	}
	return best;
}

static int refuse(const char *path, struct str head, struct mt_error *reterr)
{
	struct buf shown;
	int rc;

	buf_init(&shown, 4096);
	rc = utf8_show_text(&shown, str_first(head, SHOWN_BYTES), true);
	rc = rc < 0 ? rc
		    : mt_error_set(reterr, MT_EINVAL,
			      "%.100s is no mail log known here; it begins: %.80s", path,
			      buf_z(&shown));
	buf_done(&shown);
	return rc;
}

/* log_family - by the first bytes of the first file that has any; an empty or absent log may become anything. */
static int log_family(const char *const *logs, size_t nlogs, const struct backend_ops **ret,
	struct mt_error *reterr)
{
	char head[HEAD_BYTES];

	*ret = backend_table[0];
	for (size_t i = 0; i < nlogs; i++) {
		struct logfile f;
		ssize_t n;
		int rc;

		if (strcmp(logs[i], "-") == 0)
			continue;
		rc = logfile_open(&f, logs[i], reterr);
		if (rc < 0)
			return rc;
		n = logfile_read(&f, head, sizeof(head), reterr);
		logfile_close(&f);
		if (n < 0)
			return (int)n;
		if (n == 0)
			continue;
		*ret = family_of(str_make(head, (size_t)n));
		return *ret ? 0 : refuse(logs[i], str_make(head, (size_t)n), reterr);
	}
	return 0;
}

/* share_log - do two instances write into the same log? */
static bool share_log(const struct instance *one, const struct instance *other)
{
	if (one->def.journal && other->def.journal)
		return true;
	for (size_t a = 0; a < one->def.nlogs; a++)
		for (size_t b = 0; b < other->def.nlogs; b++)
			if (strcmp(one->def.logs[a], other->def.logs[b]) == 0)
				return true;
	return false;
}

/* tell_apart - whose lines are whose in a log several share: by name, and the first takes what is nobody's. */
static void tell_apart(const struct instances *list, size_t at)
{
	struct instance_def *d = &list->all[at]->def;
	const char **others = xcalloc(list->n, sizeof(others[0]));

	d->rest = true;
	for (size_t i = 0; i < list->n; i++) {
		const struct instance *other = list->all[i];

		if (i == at || other->family != list->all[at]->family || !other->def.syslog_name ||
			!share_log(list->all[at], other))
			continue;
		others[d->nothers++] = xstrdup(other->def.syslog_name);
		d->rest &= at < i;
	}
	d->others = others;
}

static int given(
	const char *const *logs, size_t nlogs, struct instances *ret, struct mt_error *reterr)
{
	const struct backend_ops *family;
	struct instance_def def = {.logs = logs, .nlogs = nlogs, .all_logs = true};
	int rc = log_family(logs, nlogs, &family, reterr);

	if (rc < 0)
		return rc;
	def.name = family->name;
	instances_add(ret, family, &def);
	tell_apart(ret, 0);
	return 0;
}

/* fits - length of a name that the tag begins with, 0 if it does not. */
static size_t fits(struct str tag, const char *name)
{
	size_t n = name ? strlen(name) : 0;

	return tag.n > n && n && memcmp(tag.p, name, n) == 0 && tag.p[n] == '/' ? n : 0;
}

bool instance_owns(const struct instance_def *def, const struct event *e)
{
	size_t mine, theirs = 0;

	if (def->nothers == 0)
		return true;
	if (e->kind == EVENT_FOREIGN || !str_present(e->service))
		return def->rest;
	mine = fits(e->service, def->syslog_name);
	for (size_t i = 0; i < def->nothers; i++) {
		size_t n = fits(e->service, def->others[i]);

		theirs = n > theirs ? n : theirs;
	}
	return mine == theirs ? def->rest : mine > theirs;
}

int instances_find(const struct conf *conf, const char *const *logs, size_t nlogs,
	struct instances *ret, struct mt_error *reterr)
{
	*ret = (struct instances){NULL, 0};
	if (nlogs)
		return given(logs, nlogs, ret, reterr);
	for (size_t i = 0; backend_table[i]; i++) {
		struct finding f = {ret, backend_table[i]};
		int rc = backend_table[i]->discover
				 ? backend_table[i]->discover(conf, found, &f, reterr)
				 : 0;

		if (rc < 0 && rc != MT_ENOENT)
			return rc;
	}
	for (size_t i = 0; i < ret->n; i++)
		tell_apart(ret, i);
	return ret->n ? 0
		      : mt_error_set(reterr, MT_ENOENT, "no mail system was found on this machine");
}

void instances_done(struct instances *list)
{
	for (size_t i = 0; i < list->n; i++) {
		struct instance_def *d = &list->all[i]->def;

		for (size_t n = 0; n < d->nlogs; n++)
			free((char *)(uintptr_t)d->logs[n]);
		free((void *)(uintptr_t)d->logs);
		free((char *)(uintptr_t)d->name);
		free((char *)(uintptr_t)d->host);
		free((char *)(uintptr_t)d->config_dir);
		free((char *)(uintptr_t)d->spool_dir);
		free((char *)(uintptr_t)d->syslog_name);
		free((char *)(uintptr_t)d->journal_folder);
		free((char *)(uintptr_t)d->section);
		free((char *)(uintptr_t)d->key_path);
		free((char *)(uintptr_t)d->ca_path);
		for (size_t n = 0; n < d->nothers; n++)
			free((char *)(uintptr_t)d->others[n]);
		free((void *)(uintptr_t)d->others);
		free(list->all[i]);
	}
	free(list->all);
	*list = (struct instances){NULL, 0};
}
