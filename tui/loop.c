/* SPDX-License-Identifier: MIT */
/*
 * loop - poll over the terminal, the collector's pipe and our signals, with the app's own deadline.
 *
 * Handlers only write a byte to a pipe (or, after a crash, restore the terminal): everything is done
 * here, in order. Draws once a round and nothing when the picture is the same.
 */
#include "tui/loop.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define GRACE_S                                                                                    \
	2 /* from "end" to the end by force, when the terminal takes no output and the loop is stuck in it */
#define KEYS_PER_ROUND 256 /* a paste of a megabyte must not keep the picture from moving */

static int signal_pipe[2] = {-1, -1};

static const int caught[] = {SIGWINCH, SIGTERM, SIGHUP, SIGINT, SIGQUIT, SIGTSTP, SIGCONT};
#define CAUGHT (sizeof(caught) / sizeof(caught[0]))
static const int crashes[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT};
#define CRASHES (sizeof(crashes) / sizeof(crashes[0]))

static void on_signal(int number)
{
	int saved = errno;
	char byte = (char)number;
	ssize_t done = write(signal_pipe[1], &byte, 1);

	(void)done; /* a full pipe holds wake-ups enough */
	if (number == SIGTERM || number == SIGHUP || number == SIGINT || number == SIGQUIT)
		alarm(GRACE_S);
	errno = saved;
}

/* Asked to end and still here. What has been collected is in the cache, and what is not will be read again. */
static void on_grace_over(int number)
{
	(void)number;
	screen_emergency();
	_exit(EXIT_FAILURE);
}

static void on_crash(int number)
{
	screen_emergency();
	/* SA_RESETHAND: the second one is the default action. */
	raise(number);
}

static void install(int number, void (*handler)(int), int flags, struct sigaction *old)
{
	struct sigaction action = {.sa_handler = handler, .sa_flags = flags};

	sigemptyset(&action.sa_mask);
	sigaction(number, &action, old);
}

struct loop {
	struct app *app;
	struct screen *screen;
	const struct dashboard_options *o;
	struct screen_options shown_options;
	struct sigaction old[CAUGHT], old_crash[CRASHES];
	sigset_t old_mask;
	bool color, redraw, lost;
};

static int signals_open(struct loop *l, struct mt_error *reterr)
{
	sigset_t ours;

	if (pipe2(signal_pipe, O_CLOEXEC | O_NONBLOCK) < 0)
		return mt_error_sys(reterr, errno, "can't make a pipe");
	for (size_t i = 0; i < CAUGHT; i++)
		install(caught[i], on_signal, 0, &l->old[i]);
	install(SIGALRM, on_grace_over, 0, NULL);
	/* Whoever has work to do after the loop may have blocked them. */
	sigemptyset(&ours);
	for (size_t i = 0; i < CAUGHT; i++)
		sigaddset(&ours, caught[i]);
	pthread_sigmask(SIG_UNBLOCK, &ours, &l->old_mask);
	for (size_t i = 0; i < CRASHES; i++)
		install(crashes[i], on_crash, (int)SA_RESETHAND, &l->old_crash[i]);
	return 0;
}

static void signals_close(struct loop *l)
{
	pthread_sigmask(SIG_SETMASK, &l->old_mask, NULL);
	for (size_t i = 0; i < CAUGHT; i++)
		sigaction(caught[i], &l->old[i], NULL);
	for (size_t i = 0; i < CRASHES; i++)
		sigaction(crashes[i], &l->old_crash[i], NULL);
	close(signal_pipe[0]);
	close(signal_pipe[1]);
	signal_pipe[0] = signal_pipe[1] = -1;
}

static void resize(struct loop *l)
{
	int w, h;

	screen_size(l->screen, &w, &h);
	if (w != l->app->canvas.w || h != l->app->canvas.h)
		app_resize(l->app, w, h);
}

static void stop_and_go_on(struct loop *l)
{
	screen_suspend(l->screen);
	raise(SIGSTOP);
	screen_resume(l->screen);
	resize(l);
	l->redraw = true;
}

static void take_signals(struct loop *l)
{
	char bytes[64];
	ssize_t n = read(signal_pipe[0], bytes, sizeof(bytes));

	for (ssize_t i = 0; i < n; i++) {
		if (bytes[i] == SIGWINCH) {
			resize(l);
		} else if (bytes[i] == SIGTSTP) {
			stop_and_go_on(l);
		} else if (bytes[i] == SIGCONT) {
			l->redraw = true;
		} else {
			l->app->quit = true;
		}
	}
	l->app->dirty = true;
}

static void drain(int fd)
{
	char bytes[256];

	while (read(fd, bytes, sizeof(bytes)) == (ssize_t)sizeof(bytes))
		;
}

static void take_keys(struct loop *l)
{
	struct key_event e;
	int n = 0;

	while (n < KEYS_PER_ROUND && !l->app->quit && screen_key(l->screen, &e)) {
		app_key(l->app, &e);
		n++;
	}
	if (n == 0 && screen_check_lost(l->screen))
		l->lost = true;
}

/* Plain text on the ordinary screen until Enter. */
static void show_lofi(struct loop *l)
{
	char byte = 0;

	screen_suspend(l->screen);
	fwrite(l->app->effect_text.p, 1, l->app->effect_text.n, stdout);
	fputs("\n[mtatop: press Enter to go back]", stdout);
	fflush(stdout);
	while (byte != '\n' && read(STDIN_FILENO, &byte, 1) == 1)
		;
	screen_resume(l->screen);
	l->redraw = true;
}

static void do_effect(struct loop *l)
{
	enum app_effect effect = l->app->effect;

	l->app->effect = EFFECT_NONE;
	if (effect == EFFECT_COPY)
		screen_copy(l->screen, buf_str(&l->app->effect_text));
	else if (effect == EFFECT_LOFI)
		show_lofi(l);
	else if (effect == EFFECT_REDRAW)
		l->redraw = true;
}

static void follow_setup(struct loop *l)
{
	struct screen_options now = {
		.theme = l->app->opt.theme, .color = l->color, .mouse = l->app->opt.mouse};

	if (now.theme == l->shown_options.theme && now.mouse == l->shown_options.mouse)
		return;
	l->shown_options = now;
	screen_options_set(l->screen, &now);
}

static void check_collector(struct loop *l)
{
	struct mt_error err = {0};
	const char *news = l->o->takes_over ? l->o->takes_over(l->o->collector_ctx) : NULL;

	if (news)
		app_message(l->app, STYLE_WARN, "%s", news);
	if (l->app->alarm[0] || !l->o->collector_failed ||
		!l->o->collector_failed(l->o->collector_ctx, &err))
		return;
	snprintf(l->app->alarm, sizeof(l->app->alarm), "collecting has ended: %s", err.text);
	l->app->dirty = true;
}

static void wait_for_something(struct loop *l)
{
	struct pollfd fds[3] = {{.fd = STDIN_FILENO, .events = POLLIN},
		{.fd = signal_pipe[0], .events = POLLIN},
		{.fd = app_wants_commits(l->app) ? l->o->notify_fd : -1, .events = POLLIN}};

	if (poll(fds, 3, app_wait_ms(l->app)) <= 0)
		return;
	if (fds[1].revents)
		take_signals(l);
	if (fds[2].revents & POLLIN)
		drain(l->o->notify_fd);
	if (fds[0].revents & (POLLHUP | POLLERR | POLLNVAL))
		l->lost = true;
	else if (fds[0].revents)
		take_keys(l);
}

/* Asked in the midst of a refresh: is there anything that goes first? */
static bool key_waits(void *ctx)
{
	struct pollfd fds[2] = {
		{.fd = STDIN_FILENO, .events = POLLIN}, {.fd = signal_pipe[0], .events = POLLIN}};

	(void)ctx;
	return poll(fds, 2, 0) > 0;
}

void loop_end_grace(void)
{
	alarm(0);
	install(SIGALRM, SIG_DFL, 0, NULL);
}

int loop_run(struct app *a, struct screen *s, const struct dashboard_options *o, bool color,
	struct mt_error *reterr)
{
	struct loop l = {.app = a, .screen = s, .o = o, .color = color, .redraw = true};
	int err = signals_open(&l, reterr);

	if (err < 0)
		return err;
	l.shown_options = (struct screen_options){
		.theme = a->opt.theme, .color = color, .mouse = a->opt.mouse};
	a->opt.key_waits = key_waits;
	resize(&l);
	while (!a->quit && !l.lost) {
		check_collector(&l);
		app_step(a);
		follow_setup(&l);
		do_effect(&l);
		screen_draw(s, app_draw(a), l.redraw);
		if (a->status.ring && !a->opt.demo && l.o->conf &&
			conf_bool(l.o->conf, "screen", NULL, "bell"))
			screen_bell(s);
		a->status.ring = false;
		l.redraw = false;
		wait_for_something(&l);
	}
	if (l.lost)
		(void)screen_check_lost(s);
	signals_close(&l);
	return 0;
}
