/* SPDX-License-Identifier: MIT */
/* secret - see secret.h. */
#include "store/base/secret.h"

#include "store/base/mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#define PREFIX "MTATOP_"
#define SUFFIX "_KEY"
#define TAKEN_MAX 64

extern char **environ;

struct secret {
	size_t n, pages_bytes;
	char bytes[SECRET_MAX_BYTES + 1];
};

struct taken {
	char *name;
	struct secret *value;
};

/* Of the process, as its environment is; written by secret_take_environment alone. */
static struct taken taken[TAKEN_MAX];
static size_t ntaken;

struct secret *secret_new(struct str bytes)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	size_t n = (sizeof(struct secret) + page - 1) / page * page;
	struct secret *s;

	if (bytes.n == 0 || bytes.n > SECRET_MAX_BYTES)
		return NULL;
	s = mmap(NULL, n, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (s == MAP_FAILED)
		return NULL;
	(void)madvise(s, n, MADV_DONTDUMP);
	(void)madvise(s, n, MADV_DONTFORK);
	(void)mlock(s, n); /* a limit on locked memory is no reason not to work */
	s->pages_bytes = n;
	s->n = bytes.n;
	memcpy(s->bytes, bytes.p, bytes.n);
	return s;
}

void secret_free(struct secret *s)
{
	size_t n = s ? s->pages_bytes : 0;

	if (!s)
		return;
	explicit_bzero(s->bytes, sizeof(s->bytes));
	munmap(s, n);
}

const char *secret_z(const struct secret *s)
{
	return s ? s->bytes : "";
}

void secret_scrub(const struct secret *s, char *text)
{
	struct str rest = str_of(text), key = {secret_z(s), s ? s->n : 0};
	size_t at;

	while (key.n && (at = str_find(rest, key)) < rest.n) {
		memset(text + (rest.p - text) + at, '*', key.n);
		rest = str_skip(rest, at + key.n);
	}
}

__attribute__((noinline)) void secret_wipe_stack(void)
{
	char below[SECRET_STACK_BYTES];

	explicit_bzero(below, sizeof(below));
}

/* wanted - does this entry of the environment hold a key? *ret_name: the bytes before '='. */
static bool wanted(const char *entry, struct str *ret_name)
{
	struct str all = str_of(entry);

	*ret_name = str_first(all, str_find_char(all, '='));
	return ret_name->n > sizeof(PREFIX SUFFIX) - 1 && ret_name->n < all.n &&
	       str_starts(*ret_name, STR_LIT(PREFIX)) && str_ends(*ret_name, STR_LIT(SUFFIX));
}

void secret_take_environment(void)
{
	for (size_t i = 0; environ && environ[i];) {
		struct str name;
		char *value;

		if (!wanted(environ[i], &name) || ntaken == TAKEN_MAX) {
			i++;
			continue;
		}
		value = environ[i] + name.n + 1;
		taken[ntaken].name = xmemdup(name.p, name.n);
		taken[ntaken].value = secret_new(str_of(value));
		explicit_bzero(value, strlen(value)); /* what /proc/PID/environ shows */
		if (unsetenv(taken[ntaken].name) < 0)
			i++;
		ntaken++;
	}
}

struct secret *secret_of_environment(const char *name)
{
	for (size_t i = 0; i < ntaken; i++)
		if (strcmp(taken[i].name, name) == 0)
			return secret_new(str_of(secret_z(taken[i].value)));
	return NULL;
}
