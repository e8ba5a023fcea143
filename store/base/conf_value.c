/* SPDX-License-Identifier: MIT */
/* conf_value - text of a configuration value into its number or items, with the refusals a person reads. */
#include "store/base/conf_private.h"

#include "store/base/buf.h"
#include "store/base/mem.h"
#include "store/base/scan.h"

#include <pwd.h>
#include <stdlib.h>
#include <unistd.h>

#define PASSWD_BYTES 4096 /* one passwd entry; a longer one is treated as none */
#define NUMBER_DIGITS_MAX 18

struct unit {
	const char *name;
	int64_t size;
};

/* Largest first: a duration names each unit at most once, in falling order. */
static const struct unit durations[] = {{"w", INT64_C(604800000)}, {"d", 86400000}, {"h", 3600000},
	{"m", 60000}, {"s", 1000}, {"ms", 1}};
#define DURATIONS (sizeof(durations) / sizeof(durations[0]))

static const struct unit sizes[] = {{"", 1}, {"k", INT64_C(1) << 10}, {"M", INT64_C(1) << 20},
	{"G", INT64_C(1) << 30}, {"T", INT64_C(1) << 40}};
#define SIZES (sizeof(sizes) / sizeof(sizes[0]))

static bool is_unit_char(char c)
{
	return scan_is_alnum(c) && !scan_is_digit(c);
}

/* number * unit added to *total; false past the range. */
static bool add_scaled(int64_t *total, uint64_t number, int64_t unit)
{
	if (number > (uint64_t)(INT64_MAX / unit) || (int64_t)number * unit > INT64_MAX - *total)
		return false;
	*total += (int64_t)number * unit;
	return true;
}

int conf_parse_duration_ms(struct str s, int64_t *ret_ms)
{
	int64_t total = 0;
	size_t from = 0;

	if (str_eq(s, STR_LIT("0"))) {
		*ret_ms = 0;
		return 0;
	}
	if (s.n == 0)
		return MT_EINVAL;
	while (s.n > 0) {
		uint64_t number;
		struct str name;

		if (!scan_u64(&s, NUMBER_DIGITS_MAX, INT64_MAX, &number))
			return MT_EINVAL;
		name = scan_while(&s, is_unit_char);
		while (from < DURATIONS && !str_eq(name, str_of(durations[from].name)))
			from++;
		if (from == DURATIONS || !add_scaled(&total, number, durations[from].size))
			return MT_EINVAL;
		from++;
	}
	*ret_ms = total;
	return 0;
}

int conf_parse_size_bytes(struct str s, int64_t *ret_bytes)
{
	int64_t total = 0;
	uint64_t number;

	if (!scan_u64(&s, NUMBER_DIGITS_MAX, INT64_MAX, &number))
		return MT_EINVAL;
	if (s.n > 1 && str_ieq(str_skip(s, 1), STR_LIT("iB")))
		s.n = 1;
	else if (s.n > 0 && str_ieq(str_skip(s, s.n - 1), STR_LIT("B")))
		s.n--;
	for (size_t i = 0; i < SIZES; i++) {
		if (!str_ieq(s, str_of(sizes[i].name)))
			continue;
		if (!add_scaled(&total, number, sizes[i].size))
			return MT_EINVAL;
		*ret_bytes = total;
		return 0;
	}
	return MT_EINVAL;
}

static int parse_bool(struct str s, int64_t *ret)
{
	static const struct {
		const char *word;
		int64_t value;
	} words[] = {{"yes", 1}, {"no", 0}, {"true", 1}, {"false", 0}, {"on", 1}, {"off", 0},
		{"1", 1}, {"0", 0}};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (str_ieq(s, str_of(words[i].word))) {
			*ret = words[i].value;
			return 0;
		}
	}
	return MT_EINVAL;
}

static bool is_choice(struct str s, const char *choices)
{
	struct str rest = str_of(choices);

	while (rest.n > 0) {
		size_t at = str_find_char(rest, '|');

		if (s.n > 0 && str_eq(s, str_first(rest, at)))
			return true;
		rest = str_skip(rest, at + 1);
	}
	return false;
}

static int parse_number(const struct conf_key *key, struct str s, int64_t *ret)
{
	switch (key->type) {
	case CONF_BOOL:
		return parse_bool(s, ret);
	case CONF_INT:
		return scan_i64(&s, NUMBER_DIGITS_MAX, INT64_MIN, INT64_MAX, ret) && s.n == 0
			       ? 0
			       : MT_EINVAL;
	case CONF_DURATION:
		return conf_parse_duration_ms(s, ret);
	case CONF_SIZE:
		return conf_parse_size_bytes(s, ret);
	case CONF_CHOICE:
		return is_choice(s, key->choices) ? 0 : MT_EINVAL;
	case CONF_TEXT:
	case CONF_PATH:
	case CONF_LIST:
		break;
	}
	return 0;
}

static const char *wanted(const struct conf_key *key)
{
	switch (key->type) {
	case CONF_BOOL:
		return "yes or no";
	case CONF_INT:
		return "a whole number";
	case CONF_DURATION:
		return "a duration with units (90s, 1h30m, 7d)";
	case CONF_SIZE:
		return "a size (512M, 4G)";
	case CONF_CHOICE:
		return key->choices;
	case CONF_TEXT:
	case CONF_PATH:
	case CONF_LIST:
		break;
	}
	return "text";
}

/* A limit as the person would type it: the largest unit that divides it. */
static void add_limit(struct buf *out, const struct conf_key *key, int64_t value)
{
	if (key->type == CONF_DURATION && value > 0) {
		for (size_t i = 0; i < DURATIONS; i++) {
			if (value % durations[i].size != 0)
				continue;
			buf_printf(out, "%lld%s", (long long)(value / durations[i].size),
				durations[i].name);
			return;
		}
	}
	if (key->type == CONF_SIZE && value > 0) {
		for (size_t i = SIZES; i-- > 0;) {
			if (value % sizes[i].size != 0)
				continue;
			buf_printf(
				out, "%lld%s", (long long)(value / sizes[i].size), sizes[i].name);
			return;
		}
	}
	buf_printf(out, "%lld", (long long)value);
}

static int refuse_range(const struct conf_key *key, struct mt_error *reterr)
{
	struct buf low, high;
	int rc;

	buf_init(&low, 64);
	buf_init(&high, 64);
	add_limit(&low, key, key->min);
	add_limit(&high, key, key->max);
	rc = mt_error_set(reterr, MT_ECONFIG, "%s is out of range; give %s to %s", key->name,
		buf_z(&low), buf_z(&high));
	buf_done(&low);
	buf_done(&high);
	return rc;
}

static bool has_range(const struct conf_key *key)
{
	return (key->type == CONF_INT || key->type == CONF_DURATION || key->type == CONF_SIZE) &&
	       (key->min != 0 || key->max != 0);
}

static char *expand_home(struct str path)
{
	const char *home = getenv("HOME");
	struct passwd entry, *found = NULL;
	char *room, *expanded;

	if (home && home[0] == '/')
		return xasprintf("%s%.*s", home, STR_ARG(str_skip(path, 1)));
	room = xmalloc(PASSWD_BYTES);
	if (getpwuid_r(geteuid(), &entry, room, PASSWD_BYTES, &found) == 0 && found)
		expanded = xasprintf("%s%.*s", found->pw_dir, STR_ARG(str_skip(path, 1)));
	else
		expanded = xasprintf("%.*s", STR_ARG(str_skip(path, 1)));
	free(room);
	return expanded;
}

static bool is_separator(char c)
{
	return c == ',' || c == ' ' || c == '\t';
}

static bool is_item(char c)
{
	return !is_separator(c);
}

static void split_list(struct conf_value *v, struct str s)
{
	size_t room = 0;

	for (;;) {
		struct str item;

		scan_while(&s, is_separator);
		item = scan_while(&s, is_item);
		if (item.n == 0)
			return;
		if (v->nitems == room) {
			room = room ? room * 2 : 8;
			v->items = xrealloc(v->items, room * sizeof(*v->items));
		}
		v->items[v->nitems++] = xmemdup(item.p, item.n);
	}
}

static bool has_control(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if (((unsigned char)s.p[i] < ' ' && s.p[i] != '\t') || s.p[i] == '\177')
			return true;
	return false;
}

int conf_value_parse(const struct conf_key *key, struct str text, struct conf_value *ret_value,
	struct mt_error *reterr)
{
	struct conf_value v = {0};

	if (has_control(text))
		return mt_error_set(
			reterr, MT_ECONFIG, "%s holds a control character; remove it", key->name);
	if (parse_number(key, text, &v.number) < 0) {
		if (key->secret)
			return mt_error_set(reterr, MT_ECONFIG, "bad value of %s; give %s",
				key->name, wanted(key));
		return mt_error_set(reterr, MT_ECONFIG, "bad value \"%.*s\" of %s; give %s",
			STR_ARG(str_first(text, CONF_QUOTE_MAX_BYTES)), key->name, wanted(key));
	}
	if (has_range(key) && (v.number < key->min || v.number > key->max))
		return refuse_range(key, reterr);
	if (key->type == CONF_PATH && str_starts(text, STR_LIT("~"))) {
		if (text.n > 1 && text.p[1] != '/')
			return mt_error_set(reterr, MT_ECONFIG,
				"%s: only ~/ is expanded; write the path in full", key->name);
		v.text = expand_home(text);
	} else {
		v.text = xmemdup(text.p, text.n);
	}
	if (key->type == CONF_LIST)
		split_list(&v, text);
	*ret_value = v;
	return 0;
}

void conf_value_done(struct conf_value *v)
{
	for (size_t i = 0; i < v->nitems; i++)
		free(v->items[i]);
	free(v->items);
	if (v->text)
		explicit_bzero(v->text, strlen(v->text));
	free(v->text);
	*v = (struct conf_value){0};
}
