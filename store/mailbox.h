/* SPDX-License-Identifier: MIT */
/* mailbox - the mailbox provider behind an MX host; data: assets/mailboxes.def. Pure. */
#ifndef MT_STORE_MAILBOX_H
#define MT_STORE_MAILBOX_H

#include "store/base/str.h"

#include <stdbool.h>

enum mailbox { /* on disk */
#define MAILBOX(id, word, name, suffixes) MAILBOX_##id,
#include "assets/mailboxes.def"
#undef MAILBOX
	MAILBOX__COUNT
};

/* mailbox_of - by host name (ASCII letters without case); MAILBOX_OTHER when none of ours, or absent. */
enum mailbox mailbox_of(struct str host);
/* mailbox_name - for people. mailbox_word - as the configuration has it. mailbox_by_word - false: no such word. */
const char *mailbox_name(enum mailbox box);
const char *mailbox_word(enum mailbox box);
bool mailbox_by_word(struct str word, enum mailbox *ret);

#endif
