/* SPDX-License-Identifier: MIT */
/* collector_new - find the providers, open the store, make a slot of every source. */
#include "backends/collector.h"

#include "backends/api_json.h"
#include "backends/collector_private.h"
#include "backends/demo_vendor.h"
#include "backends/journal.h"
#include "backends/logsource.h"
#include "backends/names_source.h"
#include "backends/probe_source.h"
#include "backends/sockets.h"
#include "store/base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

static int open_store(
	struct collector *c, const struct collector_options *o, struct mt_error *reterr)
{
	struct store_options s = {.path = o->cache_path,
		.rules_path = o->rules_path,
		.clock = c->clock,
		.keep_attempts_ms = conf_int(o->conf, "mtatop", NULL, "keep_attempts"),
		.keep_buckets_ms = conf_int(o->conf, "mtatop", NULL, "keep_buckets"),
		.max_bytes = conf_int(o->conf, "mtatop", NULL, "cache_size"),
		.lock = c->lock};

	c->lock = NULL;
	return store_open(&s, &c->store, reterr);
}

/* read_back_ms - asked for all there is, or for these files: all, unless a window was configured. */
static int64_t read_back_ms(const struct collector_options *o)
{
	bool all = (o->until_caught_up || o->nlogs) &&
		   !conf_is_set(o->conf, "mtatop", NULL, "read_back");

	return all ? -1 : conf_int(o->conf, "mtatop", NULL, "read_back");
}

static int add_slot(struct collector *c, const struct collector_options *o,
	const struct instance *instance, const struct source_ops *ops, int provider,
	struct mt_error *reterr)
{
	struct slot *s = &c->slots[c->nslots];
	int rc;

	*s = (struct slot){.ops = ops,
		.instance = instance,
		.env = {.store = c->store,
			.clock = c->clock,
			.conf = o->conf,
			.family = instance->family,
			.def = &instance->def,
			.provider = provider,
			.read_back_ms = read_back_ms(o),
			.until_caught_up = o->until_caught_up,
			.store_failed = &c->store_failed}};
	rc = store_source(c->store, provider, ops->name, &s->env.source, reterr);
	if (rc < 0)
		return rc;
	s->state = xcalloc(1, ops->state_bytes);
	schedule_init(&s->schedule, ops->interval_ms, clock_mono_ms(c->clock));
	c->nslots++;
	return 0;
}

/* add_machine - what is the machine's and not one server's. */
static int add_machine(struct collector *c, const struct collector_options *o,
	const struct instance *instance, int provider, struct mt_error *reterr)
{
	int rc = add_slot(c, o, instance, &socketsource, provider, reterr);

	if (rc == 0)
		rc = add_slot(c, o, instance, &hostsource, provider, reterr);
	/* A pass that ends when it has caught up waits for no network. */
	if (rc == 0 && !o->until_caught_up && conf_bool(o->conf, "dns", NULL, "enabled"))
		rc = add_slot(c, o, instance, &namesource, provider, reterr);
	if (rc == 0 && conf_bool(o->conf, "probe", NULL, "enabled"))
		rc = add_slot(c, o, instance, &probesource, provider, reterr);
	return rc;
}

static int add_instance(struct collector *c, const struct collector_options *o,
	const struct instance *instance, struct mt_error *reterr)
{
	const struct source_ops *const *sources = instance->family->sources;
	int provider;
	int rc = store_provider(c->store, instance->def.name, instance->family->name,
		instance->def.host, &provider, reterr);

	if (rc == 0 && instance->family->services && instance->def.config_dir)
		rc = instance->family->services(c->store, provider, &instance->def, reterr);
	/* one sample of the sockets for all of this machine's providers: it belongs to the first */
	if (rc == 0 && c->nslots == 0 && !o->nlogs && !o->made_up && instance->def.config_dir)
		rc = add_machine(c, o, instance, provider, reterr);
	for (size_t i = 0; rc == 0 && sources && sources[i]; i++) {
		bool journal = sources[i] == &logsource && journal_wanted(&instance->def);

		rc = add_slot(
			c, o, instance, journal ? &journalsource : sources[i], provider, reterr);
	}
	return rc;
}

static size_t count_slots(const struct instances *list)
{
	size_t n = 0;

	for (size_t i = 0; i < list->n; i++)
		for (size_t k = 0;
			list->all[i]->family->sources && list->all[i]->family->sources[k]; k++)
			n++;
	return n;
}

static int set_up(struct collector *c, const struct collector_options *o, struct mt_error *reterr)
{
	int rc;

	if (pipe2(c->stop_pipe, O_CLOEXEC | O_NONBLOCK) < 0)
		return mt_error_sys(reterr, errno, "can't make a pipe");
	rc = instances_find(o->conf, o->logs, o->nlogs, &c->instances, reterr);
	if (rc < 0)
		return rc;
	if (o->made_up)
		demo_vendors_add(&c->instances);
	for (size_t i = 0; i < c->instances.n; i++)
		c->instances.all[i]->def.made_up = o->made_up;
	rc = open_store(c, o, reterr);
	c->slots = xcalloc(count_slots(&c->instances) + 5, sizeof(c->slots[0]));
	for (size_t i = 0; i < c->instances.n && rc == 0; i++)
		rc = add_instance(c, o, c->instances.all[i], reterr);
	if (rc == 0)
		rc = store_commit(c->store, reterr);
	if (rc == 0 && o->alerts && !o->until_caught_up)
		rc = alerts_new(c->store, o->cache_path, o->alerts, o->warmups, c->clock,
			&c->alerts, reterr);
	return rc;
}

int collector_lock(const char *cache_path, struct store_lock **ret, struct mt_error *reterr)
{
	return store_lock_left(cache_path, ret, reterr);
}

void collector_unlock(struct store_lock *lock)
{
	store_lock_free(lock);
}

int collector_new(
	const struct collector_options *o, struct collector **ret, struct mt_error *reterr)
{
	struct collector *c = xcalloc(1, sizeof(*c));
	int rc;

	api_json_init();
	c->own_clock = clock_real();
	c->clock = o->clock ? o->clock : &c->own_clock;
	c->until_caught_up = o->until_caught_up;
	c->notify_fd = o->notify_fd;
	c->progress = o->progress;
	c->progress_ctx = o->progress_ctx;
	c->lock = o->lock;
	c->stop_pipe[0] = c->stop_pipe[1] = -1;
	rc = set_up(c, o, reterr);
	if (rc < 0) {
		collector_free(c);
		return rc;
	}
	*ret = c;
	return 0;
}
