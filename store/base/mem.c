/* SPDX-License-Identifier: MIT */
/* mem - allocations that end the program on failure; see mem.h. */
#include "store/base/mem.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void (*failure_handler)(void);

void mem_on_failure(void (*handler)(void))
{
	failure_handler = handler;
}

static void *checked(void *memory)
{
	static const char message[] = "mtatop: out of memory\n";

	if (memory)
		return memory;
	if (failure_handler)
		failure_handler();
	if (write(STDERR_FILENO, message, sizeof(message) - 1) < 0)
		abort();
	abort();
}

void *xmalloc(size_t nbytes)
{
	return checked(malloc(nbytes ? nbytes : 1));
}

void *xcalloc(size_t count, size_t nbytes)
{
	return checked(calloc(count ? count : 1, nbytes ? nbytes : 1));
}

void *xrealloc(void *old, size_t nbytes)
{
	return checked(realloc(old, nbytes ? nbytes : 1));
}

char *xstrdup(const char *text)
{
	return xmemdup(text, strlen(text));
}

char *xmemdup(const void *bytes, size_t nbytes)
{
	char *copy = xmalloc(nbytes + 1);

	if (nbytes)
		memcpy(copy, bytes, nbytes);
	copy[nbytes] = '\0';
	return copy;
}

char *xasprintf(const char *fmt, ...)
{
	va_list ap;
	char *text = NULL;
	int length;

	va_start(ap, fmt);
	length = vasprintf(&text, fmt, ap);
	va_end(ap);
	return checked(length < 0 ? NULL : text);
}
