/* SPDX-License-Identifier: MIT */
/*
 * conf - the typed settings and their lookups; see conf.h.
 *
 * Every key of the tables has a plain setting from conf_new on, so a typed read always finds one.
 * A section that carries instances has further settings with the instance's name.
 */
#include "store/base/conf_private.h"

#include "store/base/mem.h"

#include <assert.h>
#include <stdlib.h>

#define NAME_MAX_BYTES 49 /* of keys and sections: libinih's own limit */
#define SUGGEST_MAX_DISTANCE 3 /* a name further off is no slip of the finger */

struct conf_setting *conf_settings_find(
	const struct conf_settings *s, const struct conf_key *key, const char *instance)
{
	for (size_t i = 0; i < s->n; i++)
		if (s->list[i].key == key && str_eq(str_of(s->list[i].instance), str_of(instance)))
			return &s->list[i];
	return NULL;
}

void conf_settings_put(struct conf_settings *s, const struct conf_key *key, const char *instance,
	struct conf_value value, bool is_set)
{
	struct conf_setting *old = conf_settings_find(s, key, instance);

	if (old) {
		conf_value_done(&old->value);
		old->value = value;
		old->is_set = is_set;
		return;
	}
	if (s->n == s->room) {
		s->room = s->room ? s->room * 2 : 32;
		s->list = xrealloc(s->list, s->room * sizeof(*s->list));
	}
	s->list[s->n++] = (struct conf_setting){
		.key = key,
		.instance = instance && *instance ? xstrdup(instance) : NULL,
		.value = value,
		.is_set = is_set,
	};
}

void conf_settings_done(struct conf_settings *s)
{
	for (size_t i = 0; i < s->n; i++) {
		conf_value_done(&s->list[i].value);
		free(s->list[i].instance);
	}
	free(s->list);
	*s = (struct conf_settings){0};
}

struct conf_section *conf_find_section(const struct conf *c, struct str name)
{
	for (size_t i = 0; i < c->nsections; i++)
		if (str_eq(str_of(c->sections[i].name), name))
			return &c->sections[i];
	return NULL;
}

const struct conf_key *conf_find_key(const struct conf *c, const char *section, struct str name)
{
	for (size_t t = 0; t < c->ntables; t++)
		for (size_t i = 0; i < c->tables[t].n; i++) {
			const struct conf_key *key = &c->tables[t].keys[i];

			if (strcmp(key->section, section) == 0 && str_eq(str_of(key->name), name))
				return key;
		}
	return NULL;
}

/* Edits (insert, delete, replace) between two names of at most NAME_MAX_BYTES. */
static unsigned distance(struct str a, struct str b)
{
	unsigned row[NAME_MAX_BYTES + 1];

	for (unsigned j = 0; j <= b.n; j++)
		row[j] = j;
	for (size_t i = 0; i < a.n; i++) {
		unsigned corner = row[0];

		row[0] = (unsigned)i + 1;
		for (size_t j = 0; j < b.n; j++) {
			unsigned best = corner + (a.p[i] != b.p[j]);

			corner = row[j + 1];
			if (row[j + 1] + 1 < best)
				best = row[j + 1] + 1;
			if (row[j] + 1 < best)
				best = row[j] + 1;
			row[j + 1] = best;
		}
	}
	return row[b.n];
}

int conf_unknown_key(
	const struct conf *c, const char *section, struct str name, struct mt_error *reterr)
{
	const char *nearest = NULL;
	unsigned least = SUGGEST_MAX_DISTANCE + 1;
	struct str shown = str_first(name, NAME_MAX_BYTES);

	for (size_t t = 0; t < c->ntables; t++)
		for (size_t i = 0; i < c->tables[t].n; i++) {
			const struct conf_key *key = &c->tables[t].keys[i];
			unsigned d;

			if (strcmp(key->section, section) != 0 ||
				strlen(key->name) > NAME_MAX_BYTES)
				continue;
			d = distance(shown, str_of(key->name));
			if (d < least) {
				least = d;
				nearest = key->name;
			}
		}
	if (nearest)
		return mt_error_set(reterr, MT_ECONFIG,
			"unknown key \"%.*s\" in [%s]; did you mean %s?", STR_ARG(shown), section,
			nearest);
	return mt_error_set(reterr, MT_ECONFIG, "unknown key \"%.*s\" in [%s]; see mtatop.conf(5)",
		STR_ARG(shown), section);
}

void conf_add_instance(struct conf_section *section, struct str name)
{
	for (size_t i = 0; i < section->ninstances; i++)
		if (str_eq(str_of(section->instances[i]), name))
			return;
	section->instances = xrealloc(
		section->instances, (section->ninstances + 1) * sizeof(*section->instances));
	section->instances[section->ninstances++] = xmemdup(name.p, name.n);
}

static bool is_instance_char(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '-' || c == '_' || c == '.' || c == '@';
}

int conf_check_instance(const char *section, struct str instance, struct mt_error *reterr)
{
	if (instance.n > 0 && strcmp(section, CONF_MAIN_SECTION) == 0)
		return mt_error_set(reterr, MT_ECONFIG, "[%s] takes no instance name; write [%s]",
			section, section);
	for (size_t i = 0; i < instance.n; i++)
		if (!is_instance_char(instance.p[i]))
			return mt_error_set(reterr, MT_ECONFIG,
				"bad instance name in [%s ...]; use one word of letters, digits "
				"and . _ - @",
				section);
	return 0;
}

struct conf *conf_new(const struct conf_table *tables, size_t ntables)
{
	struct conf *c = xcalloc(1, sizeof(*c));

	c->tables = tables;
	c->ntables = ntables;
	for (size_t t = 0; t < ntables; t++)
		for (size_t i = 0; i < tables[t].n; i++) {
			const struct conf_key *key = &tables[t].keys[i];
			struct conf_value value = {0};
			int rc = conf_value_parse(
				key, str_of(key->fallback ? key->fallback : ""), &value, NULL);

			assert(rc == 0 && conf_find_key(c, key->section, str_of(key->name)) == key);
			(void)rc;
			conf_settings_put(&c->settings, key, NULL, value, false);
			if (conf_find_section(c, str_of(key->section)))
				continue;
			c->sections =
				xrealloc(c->sections, (c->nsections + 1) * sizeof(*c->sections));
			c->sections[c->nsections++] = (struct conf_section){.name = key->section};
		}
	return c;
}

void conf_free(struct conf *c)
{
	if (!c)
		return;
	conf_settings_done(&c->settings);
	for (size_t i = 0; i < c->nsections; i++) {
		for (size_t j = 0; j < c->sections[i].ninstances; j++)
			free(c->sections[i].instances[j]);
		free(c->sections[i].instances);
	}
	free(c->sections);
	free(c);
}

int conf_set(struct conf *c, const char *section, const char *instance, const char *name,
	const char *value, struct mt_error *reterr)
{
	struct conf_section *found = conf_find_section(c, str_of(section));
	const struct conf_key *key;
	struct conf_value parsed;
	int rc;

	if (!found)
		return mt_error_set(
			reterr, MT_ECONFIG, "unknown section [%s]; see mtatop.conf(5)", section);
	key = conf_find_key(c, section, str_of(name));
	if (!key)
		return conf_unknown_key(c, section, str_of(name), reterr);
	rc = conf_check_instance(section, str_of(instance), reterr);
	if (rc == 0)
		rc = conf_value_parse(key, str_of(value), &parsed, reterr);
	if (rc < 0)
		return rc;
	if (instance && *instance)
		conf_add_instance(found, str_of(instance));
	conf_settings_put(&c->settings, key, instance, parsed, true);
	return 0;
}

static const struct conf_setting *get(
	const struct conf *c, const char *section, const char *instance, const char *name)
{
	const struct conf_key *key = conf_find_key(c, section, str_of(name));
	const struct conf_setting *found;

	assert(key);
	found = instance && *instance ? conf_settings_find(&c->settings, key, instance) : NULL;
	return found ? found : conf_settings_find(&c->settings, key, NULL);
}

bool conf_bool(const struct conf *c, const char *section, const char *instance, const char *name)
{
	const struct conf_setting *s = get(c, section, instance, name);

	assert(s->key->type == CONF_BOOL);
	return s->value.number != 0;
}

int64_t conf_int(const struct conf *c, const char *section, const char *instance, const char *name)
{
	const struct conf_setting *s = get(c, section, instance, name);

	assert(s->key->type == CONF_INT || s->key->type == CONF_DURATION ||
		s->key->type == CONF_SIZE);
	return s->value.number;
}

const char *conf_text(
	const struct conf *c, const char *section, const char *instance, const char *name)
{
	return get(c, section, instance, name)->value.text;
}

bool conf_is_set(const struct conf *c, const char *section, const char *instance, const char *name)
{
	return get(c, section, instance, name)->is_set;
}

const char *const *conf_list(const struct conf *c, const char *section, const char *instance,
	const char *name, size_t *ret_n)
{
	const struct conf_setting *s = get(c, section, instance, name);

	assert(s->key->type == CONF_LIST);
	*ret_n = s->value.nitems;
	return (const char *const *)s->value.items;
}

const char *const *conf_instances(const struct conf *c, const char *section, size_t *ret_n)
{
	const struct conf_section *found = conf_find_section(c, str_of(section));

	*ret_n = found ? found->ninstances : 0;
	return found ? (const char *const *)found->instances : NULL;
}

void conf_each(const struct conf *c,
	void (*fn)(void *ctx, const struct conf_key *key, const char *instance, const char *value,
		bool is_set),
	void *ctx)
{
	for (size_t i = 0; i < c->settings.n; i++) {
		const struct conf_setting *s = &c->settings.list[i];
		bool hidden = s->key->secret && s->value.text[0] != '\0';

		fn(ctx, s->key, s->instance, hidden ? "***" : s->value.text, s->is_set);
	}
}
