/* SPDX-License-Identifier: MIT */
/*
 * conf - the configuration: a typed key table is the one master copy of names, types, defaults,
 * units and help; the file (libinih), the man page and the sample config all follow it.
 */
#ifndef MT_BASE_CONF_H
#define MT_BASE_CONF_H

#include "store/base/err.h"
#include "store/base/str.h"

#include <stdbool.h>
#include <stdint.h>

enum conf_type {
	CONF_BOOL,
	CONF_INT,
	CONF_DURATION /* ms; "7d" "90s" */,
	CONF_SIZE /* bytes; "4G" */,
	CONF_TEXT,
	CONF_PATH /* leading ~/ expanded */,
	CONF_LIST /* comma or space separated */,
	CONF_CHOICE
};

struct conf_key {
	const char *section; /* "mtatop", "postfix" */
	const char *name;
	enum conf_type type;
	const char *fallback; /* default, as text of the type */
	int64_t min, max; /* of INT, DURATION (ms), SIZE (bytes); both 0 = no range */
	const char *choices; /* CONF_CHOICE: "a|b|c" */
	const char *help; /* one or two sentences, no final period */
	bool secret; /* shown as *** everywhere */
};

struct conf;

#define CONF_MAIN_SECTION "mtatop" /* the program's own; the one section that takes no instance */

/* conf_new - all defaults. tables: NULL-terminated list of {keys, n}. Borrows the tables. Gives. */
struct conf_table {
	const struct conf_key *keys;
	size_t n;
};
struct conf *conf_new(const struct conf_table *tables, size_t ntables);
void conf_free(struct conf *c);
/*
 * conf_load - read a file over what is set. A section may carry an instance: [postfix out] (keys of "postfix").
 * Refuses (MT_ECONFIG), naming line and fix: unknown section or key, bad value, out of range, duplicate section
 * or key, NUL bytes, over 1 MiB, not a regular file; a file with a secret that others can read (chmod 600 named);
 * a file, or the folder of it, that others can change; a file of a user who is neither this one nor root.
 * BOM, CRLF, comments (# ; in front, " ;" behind a value) and indented keys are fine. On failure nothing is
 * changed. MT_ENOENT if missing, MT_EPERM, MT_EIO.
 */
int conf_load(struct conf *c, const char *path, struct mt_error *reterr) MT_MUST_CHECK;
/* conf_load_text - the same from memory; path is for messages; exposed: others can read it. */
int conf_load_text(struct conf *c, const char *path, struct str text, bool exposed,
	struct mt_error *reterr) MT_MUST_CHECK;
/* conf_set - one value from the command line or a test; as the file would. instance may be NULL. */
int conf_set(struct conf *c, const char *section, const char *instance, const char *name,
	const char *value, struct mt_error *reterr) MT_MUST_CHECK;
/* Typed reads; the key must exist in the tables (assert). instance NULL or unknown falls back to the plain section. */
bool conf_bool(const struct conf *c, const char *section, const char *instance, const char *name);
int64_t conf_int(const struct conf *c, const char *section, const char *instance, const char *name);
/* conf_text - TEXT, PATH (expanded), CHOICE; borrowed; "" when empty. conf_is_set - given by file or set. */
const char *conf_text(
	const struct conf *c, const char *section, const char *instance, const char *name);
bool conf_is_set(const struct conf *c, const char *section, const char *instance, const char *name);
/* conf_list - items of a LIST, borrowed. */
const char *const *conf_list(const struct conf *c, const char *section, const char *instance,
	const char *name, size_t *ret_n);
/* conf_instances - names of the instances of a section seen in the file, borrowed. */
const char *const *conf_instances(const struct conf *c, const char *section, size_t *ret_n);
/* conf_each - every key with its current value as text (secrets as ***), for --dump-config. */
void conf_each(const struct conf *c,
	void (*fn)(void *ctx, const struct conf_key *key, const char *instance, const char *value,
		bool is_set),
	void *ctx);
/*
 * conf_parse_duration_ms - "90s" "7d" "1h30m" "250ms", units w d h m s ms in falling order, or "0". MT_EINVAL.
 * conf_parse_size_bytes - "4G" "512M" "100k" "1048576", powers of 1024, "B" and "iB" allowed. MT_EINVAL.
 */
int conf_parse_duration_ms(struct str s, int64_t *ret_ms) MT_MUST_CHECK;
int conf_parse_size_bytes(struct str s, int64_t *ret_bytes) MT_MUST_CHECK;

#endif
