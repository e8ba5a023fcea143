/* SPDX-License-Identifier: MIT */
/*
 * conf_file - the configuration file into settings, whole or not at all.
 *
 * libinih takes lines apart; the feeder in front of it counts them and sees what libinih doesn't tell:
 * section heads, over-long lines, lines that would continue the value before.
 */
#include "store/base/conf_private.h"

#include "store/base/buf.h"
#include "store/base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <ini.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define CONF_FILE_MAX_BYTES (1u << 20)
#define CONF_LINE_MAX_BYTES 4096 /* a list of many log files */
#define INI_LINE_SPARE 3 /* \r, \n and NUL, as ini.h asks */
#define OTHERS_MASK 077

struct seen {
	struct conf_section *section;
	char *instance; /* owned; NULL = plain */
	int line;
};

struct loader {
	struct conf *conf;
	struct str rest;
	int line; /* 1-based, of the line given out last */
	bool exposed; /* others can read the file */
	const char *path;
	struct conf_settings pending;
	struct seen *seen; /* owned; the last is the current section */
	size_t nseen;
	int rc;
	struct mt_error *err;
};

/* Stop with the text in l->err, put behind "PATH line N: ". */
static void refuse_at(struct loader *l, int line)
{
	struct mt_error detail = *l->err;

	l->rc = mt_error_set(l->err, MT_ECONFIG, "%s line %d: %s", l->path, line, detail.text);
}

static void enter_section(struct loader *l, struct str head)
{
	size_t at = str_find_char(head, ' ');
	struct str name = str_first(head, at), instance = str_trim(str_skip(head, at));
	struct conf_section *section = conf_find_section(l->conf, name);

	if (!section) {
		mt_error_set(l->err, MT_ECONFIG, "unknown section [%.*s]; see mtatop.conf(5)",
			STR_ARG(str_first(head, CONF_QUOTE_MAX_BYTES)));
		refuse_at(l, l->line);
		return;
	}
	if (conf_check_instance(section->name, instance, l->err) < 0) {
		refuse_at(l, l->line);
		return;
	}
	for (size_t i = 0; i < l->nseen; i++) {
		if (l->seen[i].section != section || !str_eq(str_of(l->seen[i].instance), instance))
			continue;
		mt_error_set(l->err, MT_ECONFIG,
			"section [%.*s] was there in line %d; put its keys together", STR_ARG(head),
			l->seen[i].line);
		refuse_at(l, l->line);
		return;
	}
	l->seen = xrealloc(l->seen, (l->nseen + 1) * sizeof(*l->seen));
	l->seen[l->nseen++] = (struct seen){
		.section = section,
		.instance = instance.n > 0 ? xmemdup(instance.p, instance.n) : NULL,
		.line = l->line,
	};
}

static void check_head(struct loader *l, struct str line)
{
	size_t close = str_find_char(line, ']');
	struct str behind = str_trim(str_skip(line, close + 1));

	if (close == line.n) {
		mt_error_set(l->err, MT_ECONFIG, "section without ]; close it");
		refuse_at(l, l->line);
	} else if (behind.n > 0 && behind.p[0] != ';' && behind.p[0] != '#') {
		mt_error_set(
			l->err, MT_ECONFIG, "text behind a section; give it a line of its own");
		refuse_at(l, l->line);
	} else {
		enter_section(l, str_trim(str_make(line.p + 1, close - 1)));
	}
}

/* ini_reader: the next line, without white space in front (libinih would take it for a continuation). */
static char *feed(char *to, int size, void *ctx)
{
	struct loader *l = ctx;
	size_t at = str_find_char(l->rest, '\n');
	struct str line = str_trim(str_first(l->rest, at));
	size_t room = (size_t)size - INI_LINE_SPARE;

	if (l->rc < 0 || l->rest.n == 0)
		return NULL;
	l->line++;
	l->rest = str_skip(l->rest, at + 1);
	if (line.n > 0 && (line.p[0] == '#' || line.p[0] == ';'))
		line.n = 0;
	if (line.n > room) {
		mt_error_set(l->err, MT_ECONFIG, "longer than %zu bytes; shorten it", room);
		refuse_at(l, l->line);
		return NULL;
	}
	if (line.n > 0 && line.p[0] == '[')
		check_head(l, line);
	if (l->rc < 0)
		return NULL;
	if (line.n > 0)
		memcpy(to, line.p, line.n);
	memcpy(to + line.n, "\n", 2);
	return to;
}

static int take(struct loader *l, const char *name, const char *text)
{
	const struct seen *where = l->nseen > 0 ? &l->seen[l->nseen - 1] : NULL;
	const struct conf_key *key;
	struct conf_value value;
	int rc;

	if (!where)
		return mt_error_set(l->err, MT_ECONFIG, "key before any section; begin with [%s]",
			CONF_MAIN_SECTION);
	key = conf_find_key(l->conf, where->section->name, str_of(name));
	if (!key)
		return conf_unknown_key(l->conf, where->section->name, str_of(name), l->err);
	if (conf_settings_find(&l->pending, key, where->instance))
		return mt_error_set(l->err, MT_ECONFIG, "%s is given twice; keep one", name);
	if (key->secret && l->exposed && *text)
		return mt_error_set(l->err, MT_ECONFIG,
			"%s is secret and others can read this file; chmod 600 %s", name, l->path);
	rc = conf_value_parse(key, str_of(text), &value, l->err);
	if (rc < 0)
		return rc;
	conf_settings_put(&l->pending, key, where->instance, value, true);
	return 0;
}

/* ini_handler: libinih's own idea of the section is not needed. */
static int handle(void *ctx, const char *section, const char *name, const char *value)
{
	struct loader *l = ctx;

	(void)section;
	if (l->rc < 0)
		return 0;
	if (take(l, name, value ? value : "") < 0) {
		refuse_at(l, l->line);
		return 0;
	}
	return 1;
}

static void commit(struct loader *l)
{
	for (size_t i = 0; i < l->nseen; i++)
		if (l->seen[i].instance)
			conf_add_instance(l->seen[i].section, str_of(l->seen[i].instance));
	for (size_t i = 0; i < l->pending.n; i++) {
		struct conf_setting *s = &l->pending.list[i];

		conf_settings_put(&l->conf->settings, s->key, s->instance, s->value, true);
		s->value = (struct conf_value){0};
	}
}

int conf_load_text(
	struct conf *c, const char *path, struct str text, bool exposed, struct mt_error *reterr)
{
	struct mt_error err = {0};
	struct loader l = {.conf = c, .rest = text, .exposed = exposed, .path = path, .err = &err};
	size_t nul = str_find_char(text, '\0');
	int ini_rc;

	if (text.n > CONF_FILE_MAX_BYTES)
		return mt_error_set(
			reterr, MT_ECONFIG, "%s is over 1 MiB; this is no configuration", path);
	if (nul < text.n) {
		int line = 1;

		for (size_t i = 0; i < nul; i++)
			line += text.p[i] == '\n';
		return mt_error_set(reterr, MT_ECONFIG,
			"%s line %d: NUL byte; save the file as UTF-8 text", path, line);
	}
	if (str_starts(text, STR_LIT("\xEF\xBB\xBF")))
		l.rest = str_skip(text, 3);
#ifdef HAVE_INI_MAX_LINE
	ini_max_line = CONF_LINE_MAX_BYTES + INI_LINE_SPARE;
#endif
	ini_rc = ini_parse_stream(feed, &l, handle, &l);
	if (l.rc == 0 && ini_rc > 0) {
		mt_error_set(l.err, MT_ECONFIG,
			"neither [section] nor key = value; a comment begins with #");
		refuse_at(&l, ini_rc);
	} else if (l.rc == 0 && ini_rc < 0) {
		l.rc = mt_error_set(l.err, MT_ENOMEM, "%s: out of memory", path);
	}
	if (l.rc == 0)
		commit(&l);
	else if (reterr)
		*reterr = err;
	conf_settings_done(&l.pending);
	for (size_t i = 0; i < l.nseen; i++)
		free(l.seen[i].instance);
	free(l.seen);
	return l.rc;
}

static int read_all(int fd, const char *path, struct buf *out, struct mt_error *reterr)
{
	for (;;) {
		char *room = buf_reserve(out, 4096);
		ssize_t n;

		if (!room)
			return mt_error_set(reterr, MT_ECONFIG,
				"%s is over 1 MiB; this is no configuration", path);
		n = read(fd, room, 4096);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return mt_error_sys(reterr, errno, "can't read %s", path);
		if (n == 0)
			return 0;
		buf_grow(out, (size_t)n);
	}
}

/* others_write - may somebody but this user and root change it? A group that is this user's own is this user. */
static bool others_write(const struct stat *st)
{
	bool sticky = S_ISDIR(st->st_mode) && (st->st_mode & S_ISVTX);

	return !sticky &&
	       ((st->st_mode & S_IWOTH) ||
		       ((st->st_mode & S_IWGRP) && st->st_gid != getegid() && st->st_gid != 0));
}

static int check_folder(const char *path, struct mt_error *reterr)
{
	char *folder = xstrdup(path), *slash = strrchr(folder, '/');
	struct stat st;
	int rc = 0;

	if (slash)
		slash[slash == folder] = '\0';
	if (stat(slash ? folder : ".", &st) == 0 && others_write(&st))
		rc = mt_error_set(reterr, MT_ECONFIG, "%s: others can replace it; chmod go-w %s",
			path, slash ? folder : ".");
	free(folder);
	return rc;
}

/* check_trust - what others can change must not tell which files are read and which programs asked. */
static int check_trust(const struct stat *st, const char *path, struct mt_error *reterr)
{
	char *target = realpath(path, NULL);
	int rc;

	if (st->st_uid != geteuid() && st->st_uid != 0)
		rc = mt_error_set(reterr, MT_ECONFIG,
			"%s belongs to another user; chown it to this one or root", path);
	else if (others_write(st))
		rc = mt_error_set(
			reterr, MT_ECONFIG, "%s: others can change it; chmod go-w %s", path, path);
	else
		rc = check_folder(path, reterr);
	if (rc == 0 && target)
		rc = check_folder(target, reterr);
	free(target);
	return rc;
}

static int load_fd(struct conf *c, int fd, const char *path, struct mt_error *reterr)
{
	struct stat st;
	struct buf text;
	int rc;

	if (fstat(fd, &st) < 0)
		return mt_error_sys(reterr, errno, "can't stat %s", path);
	if (!S_ISREG(st.st_mode))
		return mt_error_set(reterr, MT_ECONFIG, "%s is not a regular file; name one", path);
	rc = check_trust(&st, path, reterr);
	if (rc < 0)
		return rc;
	buf_init(&text, CONF_FILE_MAX_BYTES + 4096);
	rc = read_all(fd, path, &text, reterr);
	if (rc == 0)
		rc = conf_load_text(
			c, path, buf_str(&text), (st.st_mode & OTHERS_MASK) != 0, reterr);
	if (text.p)
		explicit_bzero(text.p, text.n);
	buf_done(&text);
	return rc;
}

int conf_load(struct conf *c, const char *path, struct mt_error *reterr)
{
	/* NONBLOCK: a FIFO must not hang the start. */
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	int rc;

	if (fd < 0)
		return mt_error_sys(reterr, errno, "can't open %s", path);
	rc = load_fd(c, fd, path, reterr);
	close(fd);
	return rc;
}
