/* SPDX-License-Identifier: MIT */
/* slices - see slices.h. */
#include "backends/sendgrid/slices.h"

#define STEP_FIRST_S 86400
#define STEP_MAX_S (30 * 86400) /* all the vendor keeps */

void slices_init(struct slices *s, int64_t since_s, int64_t done_s)
{
	*s = (struct slices){.done_s = done_s > since_s ? done_s : since_s, .step_s = STEP_FIRST_S};
}

void slices_begin(struct slices *s, int64_t now_s)
{
	s->again = false;
	s->at_s = s->done_s > SLICES_OVERLAP_S ? s->done_s - SLICES_OVERLAP_S : 0;
	s->end_s = now_s + 1; /* the second of now is open: asked again by the overlap */
}

/* begin_again - the next part of the last 72 hours, from the oldest on. */
static bool begin_again(struct slices *s, int64_t now_s)
{
	int64_t oldest = now_s - SLICES_AGAIN_S, newest = s->done_s - SLICES_OVERLAP_S;

	if (s->again || newest <= oldest)
		return false;
	if (s->again_s < oldest || s->again_s >= newest)
		s->again_s = oldest;
	s->again = true;
	s->at_s = s->again_s;
	s->end_s = s->at_s + SLICES_AGAIN_S / SLICES_AGAIN_ROUNDS;
	if (s->end_s > newest)
		s->end_s = newest;
	return s->at_s < s->end_s;
}

bool slices_next(struct slices *s, int64_t now_s, int64_t *from_s, int64_t *to_s)
{
	if (s->at_s >= s->end_s && !begin_again(s, now_s))
		return false;
	*from_s = s->at_s;
	*to_s = s->at_s + s->step_s < s->end_s ? s->at_s + s->step_s : s->end_s;
	return true;
}

void slices_answered(struct slices *s, int64_t to_s, uint64_t rows, uint64_t limit)
{
	int64_t length = to_s - s->at_s;

	if (rows >= limit && length > 1) {
		s->step_s = length / 2;
		return;
	}
	if (rows >= limit)
		s->truncated++;
	s->at_s = to_s;
	if (s->again)
		s->again_s = to_s;
	else if (to_s > s->done_s)
		s->done_s = to_s;
	if (rows < limit / 3 && s->step_s < STEP_MAX_S)
		s->step_s *= 2;
}
