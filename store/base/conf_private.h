/* SPDX-License-Identifier: MIT */
/* conf_private - what conf.c, conf_file.c and conf_value.c share; for no one else. */
#ifndef MT_BASE_CONF_PRIVATE_H
#define MT_BASE_CONF_PRIVATE_H

#include "store/base/conf.h"

#define CONF_QUOTE_MAX_BYTES 40 /* of a value quoted in a refusal */

/* One parsed value. All owned. */
struct conf_value {
	char *text; /* PATH: expanded */
	int64_t number; /* BOOL 0/1, INT, DURATION ms, SIZE bytes */
	char **items; /* LIST */
	size_t nitems;
};

/* One value of one key, plain or of an instance. */
struct conf_setting {
	const struct conf_key *key; /* borrowed from the tables */
	char *instance; /* owned; NULL = the plain section */
	struct conf_value value;
	bool is_set;
};

struct conf_settings {
	struct conf_setting *list; /* owned */
	size_t n, room;
};

/* Names of the instances of one section. */
struct conf_section {
	const char *name; /* borrowed from the tables */
	char **instances; /* owned */
	size_t ninstances;
};

struct conf {
	const struct conf_table *tables; /* borrowed */
	size_t ntables;
	struct conf_settings settings;
	struct conf_section *sections; /* owned */
	size_t nsections;
};

/* conf_value_parse - text as the key's type; refuses with name and fix, MT_ECONFIG. Gives. */
int conf_value_parse(const struct conf_key *key, struct str text, struct conf_value *ret_value,
	struct mt_error *reterr) MT_MUST_CHECK;
void conf_value_done(struct conf_value *v);

/* conf_find_section, conf_find_key - NULL if not in the tables. */
struct conf_section *conf_find_section(const struct conf *c, struct str name);
const struct conf_key *conf_find_key(const struct conf *c, const char *section, struct str name);
/* conf_unknown_key - the refusal, with the nearest known name. MT_ECONFIG. */
int conf_unknown_key(
	const struct conf *c, const char *section, struct str name, struct mt_error *reterr);
/* conf_add_instance - remember the name once. */
void conf_add_instance(struct conf_section *section, struct str name);
/* conf_settings_find - the setting of key and instance (NULL = plain), or NULL. */
struct conf_setting *conf_settings_find(
	const struct conf_settings *s, const struct conf_key *key, const char *instance);
/* conf_settings_put - add or replace. Takes value; copies instance. */
void conf_settings_put(struct conf_settings *s, const struct conf_key *key, const char *instance,
	struct conf_value value, bool is_set);
void conf_settings_done(struct conf_settings *s);
/* conf_check_instance - may this section carry this instance? MT_ECONFIG with the fix. */
int conf_check_instance(
	const char *section, struct str instance, struct mt_error *reterr) MT_MUST_CHECK;

#endif
