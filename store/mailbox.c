/* SPDX-License-Identifier: MIT */
/* mailbox - see mailbox.h. */
#include "store/mailbox.h"

static const struct {
	const char *word, *name, *suffixes;
} boxes[] = {
#define MAILBOX(id, word, name, suffixes) {word, name, suffixes},
#include "assets/mailboxes.def"
#undef MAILBOX
};

/* A suffix has a leading dot; the host may be the name without it. */
static bool ends_in(struct str host, struct str suffix)
{
	if (host.n + 1 == suffix.n)
		return str_ieq(host, str_skip(suffix, 1));
	return host.n >= suffix.n && str_ieq(str_skip(host, host.n - suffix.n), suffix);
}

enum mailbox mailbox_of(struct str host)
{
	if (host.n > 0 && host.p[host.n - 1] == '.')
		host.n--;
	for (int i = 1; host.n > 0 && i < MAILBOX__COUNT; i++) {
		struct str rest = str_of(boxes[i].suffixes);

		while (rest.n > 0) {
			struct str suffix = str_first(rest, str_find_char(rest, ' '));

			if (ends_in(host, suffix))
				return (enum mailbox)i;
			rest = str_skip(rest, suffix.n + 1);
		}
	}
	return MAILBOX_OTHER;
}

const char *mailbox_name(enum mailbox box)
{
	return (unsigned)box < MAILBOX__COUNT ? boxes[box].name : "?";
}

const char *mailbox_word(enum mailbox box)
{
	return (unsigned)box < MAILBOX__COUNT ? boxes[box].word : "?";
}

bool mailbox_by_word(struct str word, enum mailbox *ret)
{
	for (int i = 0; i < MAILBOX__COUNT; i++)
		if (str_ieq(word, str_of(boxes[i].word))) {
			*ret = (enum mailbox)i;
			return true;
		}
	return false;
}
