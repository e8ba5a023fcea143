/* SPDX-License-Identifier: MIT */
/*
 * screen_curses - the one file that knows curses: canvas to terminal, keys from it.
 *
 * Only cells of a canvas are written, so only shown text can reach the terminal. It is restored by
 * screen_close, screen_suspend, or after a crash by screen_emergency. Never writes a title.
 */
#include "tui/screen_curses.h"

#include "store/base/mem.h"
#include "tui/screen_style.h"

#include <curses.h>
#include <term.h>

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>
#include <wchar.h>

#define ESCAPE_WAIT_MS                                                                             \
	25 /* a lone Esc is known as one after this; sequences come within a few ms */
#define RESTORE_MAX_BYTES 256
#define PASTE_BEGIN_KEY (KEY_MAX + 1)
#define PASTE_END_KEY (KEY_MAX + 2)
#define PALETTE_BRIGHT 8 /* colours from here on are the bright ones of a 16-colour palette */
#define COPY_MAX_BYTES                                                                             \
	65536 /* terminals refuse far less; xterm's limit is 74994 base64 characters */

struct screen {
	SCREEN *term; /* owned */
	struct screen_options options;
	struct canvas_cell *shown; /* owned: what the terminal has, w*h */
	int w, h;
	bool lost, pasting, paste_mode;
};

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
/* Curses keeps the terminal's description to the end (ncurses FAQ, "Testing for memory leaks"). Built in: a file of
 * suppressions could not be read any more once the process is confined. */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
	return "leak:libtinfo\nleak:libncurses\nleak:_nc_\n";
}
#endif
#endif

/* What a crash handler needs; set while a screen is open. */
static struct {
	volatile sig_atomic_t armed;
	struct termios termios;
	char bytes[RESTORE_MAX_BYTES];
	size_t n;
} restore;

bool screen_usable(struct mt_error *reterr)
{
	const char *term = getenv("TERM");
	int found = 0;

	if (!term || !term[0] || strcmp(term, "dumb") == 0 || strcmp(term, "unknown") == 0) {
		mt_error_set(reterr, MT_ENOTSUP, "the terminal can't be drawn on (TERM=%.40s)",
			term ? term : "");
		return false;
	}
	if (setupterm(NULL, STDOUT_FILENO, &found) != OK || found <= 0) {
		mt_error_set(reterr, MT_ENOTSUP,
			"terminal type TERM=%.40s is not known here (no terminfo entry)", term);
		return false;
	}
	if (!cursor_address || !clear_screen) {
		mt_error_set(reterr, MT_ENOTSUP, "terminal type TERM=%.40s can't place the cursor",
			term);
		return false;
	}
	return true;
}

/* --- restore --- */

static void restore_add(const char *capability)
{
	size_t n = capability && capability != (const char *)-1 ? strlen(capability) : 0;

	if (n == 0 || restore.n + n > sizeof(restore.bytes) || strstr(capability, "$<"))
		return; /* padding can't be done from a handler */
	memcpy(restore.bytes + restore.n, capability, n);
	restore.n += n;
}

static const char *extended(const char *name)
{
	const char *value = tigetstr(name);

	return value == (const char *)-1 ? NULL : value;
}

static void restore_prepare(void)
{
	restore.n = 0;
	if (extended("kmous"))
		restore_add("\033[?1000l\033[?1006l");
	restore_add(extended("BD"));
	restore_add(exit_attribute_mode);
	restore_add(keypad_local);
	restore_add(cursor_normal);
	restore_add(exit_ca_mode);
	restore.armed = 1;
}

void screen_emergency(void)
{
	ssize_t done;

	if (!restore.armed)
		return;
	restore.armed = 0;
	tcflow(STDOUT_FILENO,
		TCOON); /* a terminal that was stopped (^S) or takes nothing must not */
	tcflush(STDOUT_FILENO, TCOFLUSH); /* hold us here */
	done = write(STDOUT_FILENO, restore.bytes, restore.n);
	(void)done;
	tcsetattr(STDIN_FILENO, TCSANOW, &restore.termios);
}

/* --- modes --- */

/* Where there are only eight colours a bright one is the plain one (bold, see attributes); grey, which
 * would be black on black, is the default colour made dim. */
static short color_of(int color, bool foreground)
{
	if (color < PALETTE_BRIGHT || COLORS >= 2 * PALETTE_BRIGHT)
		return (short)color;
	return foreground && color == PALETTE_BRIGHT ? -1 : (short)(color - PALETTE_BRIGHT);
}

static void apply_options(struct screen *s)
{
	bool color = s->options.color && s->options.theme != THEME_MONO && has_colors();

	if (color) {
		start_color();
		use_default_colors();
		for (int i = 0; i < STYLE__COUNT; i++) {
			const struct screen_style *style =
				screen_style(s->options.theme, (enum style)i);

			init_pair((short)(i + 1), color_of(style->fg, true),
				color_of(style->bg, false));
		}
	}
	s->options.color = color;
	mousemask(s->options.mouse ? BUTTON1_PRESSED | BUTTON4_PRESSED | BUTTON5_PRESSED : 0, NULL);
	mouseinterval(0);
}

static attr_t attributes(const struct screen *s, enum style style)
{
	const struct screen_style *def =
		screen_style(s->options.color ? s->options.theme : THEME_MONO, style);
	bool bright = s->options.color && def->fg >= PALETTE_BRIGHT && COLORS < 2 * PALETTE_BRIGHT;
	attr_t attr = 0;

	attr |= def->bold || (bright && def->fg != PALETTE_BRIGHT) ? A_BOLD : 0;
	attr |= def->dim || (bright && def->fg == PALETTE_BRIGHT) ? A_DIM : 0;
	attr |= def->reverse ? A_REVERSE : 0;
	attr |= def->underline ? A_UNDERLINE : 0;
	return attr;
}

static void paste_mode(struct screen *s, bool on)
{
	const char *sequence = extended(on ? "BE" : "BD");

	if (sequence && extended("PS") && extended("PE")) {
		putp(sequence);
		fflush(stdout);
		s->paste_mode = on;
	}
}

/* Curses can't allocate what such a line claims to be. */
static bool oversized(void)
{
	struct winsize size = {0};

	return ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 &&
	       (size.ws_col > CANVAS_MAX_COLUMNS || size.ws_row > CANVAS_MAX_ROWS);
}

int screen_open(const struct screen_options *options, struct screen **ret, struct mt_error *reterr)
{
	struct screen *s;

	if (!screen_usable(reterr))
		return MT_ENOTSUP;
	if (tcgetattr(STDIN_FILENO, &restore.termios) < 0)
		return mt_error_set(reterr, MT_ENOTSUP, "standard input is no terminal");
	s = xcalloc(1, sizeof(*s));
	s->options = *options;
	set_escdelay(ESCAPE_WAIT_MS);
	if (oversized())
		use_env(FALSE); /* begin with terminfo's size; screen_size then takes what a canvas may be */
	s->term = newterm(NULL, stdout, stdin);
	if (!s->term) {
		free(s);
		return mt_error_set(reterr, MT_ENOTSUP,
			"curses can't use this terminal (TERM=%.40s)", getenv("TERM"));
	}
	restore_prepare();
	cbreak();
	noecho();
	nonl();
	intrflush(stdscr, FALSE);
	keypad(stdscr, TRUE);
	nodelay(stdscr, TRUE);
	curs_set(0);
	define_key("\033[200~", PASTE_BEGIN_KEY);
	define_key("\033[201~", PASTE_END_KEY);
	apply_options(s);
	paste_mode(s, true);
	mem_on_failure(screen_emergency);
	*ret = s;
	return 0;
}

void screen_close(struct screen *s)
{
	if (!s)
		return;
	mem_on_failure(NULL);
	if (s->lost) { /* nobody there: curses would only try to write */
		restore.armed = 0;
	} else {
		screen_suspend(s);
	}
	delscreen(s->term);
	free(s->shown);
	free(s);
}

void screen_suspend(struct screen *s)
{
	if (s->paste_mode)
		paste_mode(s, false);
	endwin();
	restore.armed = 0;
}

void screen_resume(struct screen *s)
{
	refresh(); /* takes the terminal back after endwin */
	paste_mode(s, true);
	curs_set(0);
	restore.armed = 1;
	free(s->shown);
	s->shown = NULL;
}

void screen_options_set(struct screen *s, const struct screen_options *options)
{
	s->options = *options;
	apply_options(s);
	free(s->shown);
	s->shown = NULL;
}

void screen_size(struct screen *s, int *ret_w, int *ret_h)
{
	struct winsize size = {0};

	(void)s;
	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 && size.ws_row > 0) {
		int w = size.ws_col < CANVAS_MAX_COLUMNS ? size.ws_col : CANVAS_MAX_COLUMNS;
		int h = size.ws_row < CANVAS_MAX_ROWS ? size.ws_row : CANVAS_MAX_ROWS;

		if (w != COLS || h != LINES)
			resize_term(h, w);
	}
	*ret_w = COLS > 0 ? COLS : 1;
	*ret_h = LINES > 0 ? LINES : 1;
}

/* --- drawing --- */

/* Does the C library, and so curses, agree that these bytes take width columns? */
static bool agreed_width(const struct canvas_cell *cell)
{
	mbstate_t state = {0};
	size_t at = 0;
	int width = 0;

	while (at < cell->len) {
		wchar_t wc;
		size_t n = mbrtowc(&wc, cell->bytes + at, cell->len - at, &state);
		int w;

		if (n == 0 || n > cell->len)
			return false;
		w = wcwidth(wc);
		if (w < 0)
			return false;
		width += w;
		at += n;
	}
	return width == cell->width;
}

static void draw_cell(const struct screen *s, int x, int y, const struct canvas_cell *cell)
{
	attr_set(attributes(s, (enum style)cell->style),
		(short)(s->options.color ? cell->style + 1 : 0), NULL);
	if (cell->len == 1) {
		mvaddch(y, x, (chtype)(unsigned char)cell->bytes[0]);
	} else if (agreed_width(cell)) {
		mvaddnstr(y, x, cell->bytes, cell->len);
	} else {
		for (int i = 0; i < cell->width; i++)
			mvaddch(y, x + i, '?');
	}
}

static bool same_cell(const struct canvas_cell *a, const struct canvas_cell *b)
{
	return a->len == b->len && a->width == b->width && a->style == b->style &&
	       memcmp(a->bytes, b->bytes, a->len) == 0;
}

static bool draw_row(struct screen *s, const struct canvas *c, int y, bool all)
{
	const struct canvas_cell *row = &c->cells[(size_t)y * (size_t)c->w];
	struct canvas_cell *old = &s->shown[(size_t)y * (size_t)c->w];
	bool changed = all;

	for (int x = 0; x < c->w && !changed; x++)
		changed = !same_cell(&row[x], &old[x]);
	if (!changed)
		return false;
	for (int x = 0; x < c->w; x++)
		if (row[x].width > 0)
			draw_cell(s, x, y, &row[x]);
	memcpy(old, row, (size_t)c->w * sizeof(*row));
	return true;
}

void screen_draw(struct screen *s, const struct canvas *c, bool all)
{
	bool changed = false;

	if (!s->shown || s->w != c->w || s->h != c->h) {
		free(s->shown);
		s->shown = xcalloc((size_t)c->w * (size_t)c->h, sizeof(*s->shown));
		s->w = c->w;
		s->h = c->h;
		all = true;
	}
	for (int y = 0; y < c->h; y++)
		changed = draw_row(s, c, y, all) || changed;
	if (!changed)
		return;
	if (all)
		clearok(stdscr, TRUE);
	refresh();
}

/* --- keys --- */

static int32_t special_key(wint_t code)
{
	static const struct {
		wint_t code;
		int32_t key;
	} keys[] = {
		{KEY_UP, KEYCODE_UP},
		{KEY_DOWN, KEYCODE_DOWN},
		{KEY_LEFT, KEYCODE_LEFT},
		{KEY_RIGHT, KEYCODE_RIGHT},
		{KEY_PPAGE, KEYCODE_PAGE_UP},
		{KEY_NPAGE, KEYCODE_PAGE_DOWN},
		{KEY_HOME, KEYCODE_HOME},
		{KEY_END, KEYCODE_END},
		{KEY_DC, KEYCODE_DELETE},
		{KEY_IC, KEYCODE_INSERT},
		{KEY_BACKSPACE, KEYCODE_BACKSPACE},
		{KEY_BTAB, KEYCODE_BACKTAB},
		{KEY_ENTER, KEYCODE_ENTER},
		{KEY_FIND, KEYCODE_HOME},
		{KEY_SELECT, KEYCODE_END},
	};

	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		if (keys[i].code == code)
			return keys[i].key;
	if (code >= (wint_t)KEY_F(1) && code <= (wint_t)KEY_F(12))
		return KEYCODE_F1 + (int32_t)(code - (wint_t)KEY_F(1));
	return KEYCODE_NONE;
}

static int32_t mouse_key(struct key_event *ret)
{
	MEVENT event;

	if (getmouse(&event) != OK)
		return KEYCODE_NONE;
	ret->x = event.x;
	ret->y = event.y;
	if (event.bstate & BUTTON4_PRESSED)
		return KEYCODE_WHEEL_UP;
	if (event.bstate & BUTTON5_PRESSED)
		return KEYCODE_WHEEL_DOWN;
	return event.bstate & BUTTON1_PRESSED ? KEYCODE_MOUSE_CLICK : KEYCODE_NONE;
}

static int32_t plain_key(wint_t code)
{
	if (code == '\n' || code == '\r')
		return KEYCODE_ENTER;
	if (code == 0x7f || code == '\b')
		return KEYCODE_BACKSPACE;
	return code < KEYCODE_SPECIAL ? (int32_t)code : KEYCODE_NONE;
}

bool screen_key(struct screen *s, struct key_event *ret)
{
	for (;;) {
		wint_t code = 0;
		int rc = get_wch(&code);

		*ret = (struct key_event){.pasted = s->pasting};
		if (rc == ERR)
			return false;
		if (rc == OK)
			ret->key = plain_key(code);
		else if (code == PASTE_BEGIN_KEY || code == PASTE_END_KEY)
			s->pasting = code == PASTE_BEGIN_KEY;
		else if (code == KEY_MOUSE)
			ret->key = mouse_key(ret);
		else
			ret->key = special_key(code);
		if (ret->key != KEYCODE_NONE)
			return true;
	}
}

/* Called when poll said "readable" and no key came of it: half a sequence, or nobody there any more. */
bool screen_check_lost(struct screen *s)
{
	struct pollfd fd = {.fd = STDIN_FILENO, .events = POLLIN};
	int waiting = 0;

	if (poll(&fd, 1, 0) < 0)
		return s->lost;
	if (fd.revents & (POLLHUP | POLLERR | POLLNVAL))
		s->lost = true;
	else if ((fd.revents & POLLIN) &&
		 (ioctl(STDIN_FILENO, FIONREAD, &waiting) < 0 || waiting == 0))
		s->lost = true;
	return s->lost;
}

void screen_bell(struct screen *s)
{
	(void)s;
	(void)beep();
}

/* --- clipboard --- */

void screen_copy(struct screen *s, struct str text)
{
	static const char digits[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

	(void)s;
	text = str_first(text, COPY_MAX_BYTES);
	fputs("\033]52;c;", stdout);
	for (size_t i = 0; i < text.n; i += 3) {
		unsigned char b[3] = {0};
		size_t n = text.n - i < 3 ? text.n - i : 3;

		memcpy(b, text.p + i, n);
		putchar(digits[b[0] >> 2]);
		putchar(digits[((b[0] & 3) << 4) | (b[1] >> 4)]);
		putchar(n > 1 ? digits[((b[1] & 15) << 2) | (b[2] >> 6)] : '=');
		putchar(n > 2 ? digits[b[2] & 63] : '=');
	}
	fputs("\a", stdout);
	fflush(stdout);
}
