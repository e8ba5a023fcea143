/* SPDX-License-Identifier: MIT */
/* names_words - the words of store/names.h. */
#include "store/names.h"

static const char *const words[][3] = {
#define NAME_CHECK_WORDS(id, word, what, todo) {word, what, todo},
	NAME_CHECK_LIST(NAME_CHECK_WORDS)
#undef NAME_CHECK_WORDS
};

static const char *of(int check, int which)
{
	return check >= 0 && check < NAME_CHECK__COUNT ? words[check][which] : "?";
}

const char *name_check_word(int check)
{
	return of(check, 0);
}

const char *name_check_what(int check)
{
	return of(check, 1);
}

const char *name_check_todo(int check)
{
	return of(check, 2);
}

const char *name_verdict_word(int verdict)
{
	static const char *const all[NAME_VERDICT__COUNT] = {
		"not known yet", "ok", "none", "warning", "BAD", "can't check"};

	return verdict >= 0 && verdict < NAME_VERDICT__COUNT ? all[verdict] : "?";
}

static bool has(struct str hay, struct str needle)
{
	for (size_t i = 0; i + needle.n <= hay.n; i++)
		if (str_ieq(str_make(hay.p + i, needle.n), needle))
			return true;
	return false;
}

const char *name_list_named(struct str reply)
{
	static const char *const lists[] = {"spamhaus", "spamcop", "barracuda", "psbl.surriel",
		"uceprotect", "mailspike", "invaluement", "spamrats", "abusix", "blocklist.de",
		"manitu", "sorbs"};

	for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++)
		if (has(reply, str_of(lists[i])))
			return lists[i];
	return NULL;
}
