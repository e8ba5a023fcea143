# SPDX-License-Identifier: MIT
"""term - the dashboard in a tmux of our own: start it, press keys, read the screen. No sleeps but polling."""
import os
import subprocess
import tempfile

from pfx import wait_for


class Terminal:
    """One program in one tmux window of w x h, on a private tmux server that ends with it."""

    def __init__(self, argv, w=120, h=40, env=None):
        self.folder = tempfile.mkdtemp(prefix="mtatop-tmux-")
        self.socket = os.path.join(self.folder, "s")
        self.status = os.path.join(self.folder, "status")
        words = ["env"] + ["%s=%s" % kv for kv in dict(LANG="C.UTF-8", TZ="UTC", LSAN_OPTIONS="print_suppressions=0", **(env or {})).items()] + list(argv)
        # The shell records the exit status, so that a crash is seen as one.
        line = " ".join("'%s'" % w.replace("'", "'\\''") for w in words) + " 2>%s/err; echo $? >%s" % (self.folder, self.status)
        self.tmux("-f", "/dev/null", "new-session", "-d", "-s", "t", "-x", str(w), "-y", str(h), "sh", "-c", line)

    def tmux(self, *args):
        return subprocess.run(("tmux", "-S", self.socket) + args, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              stdin=subprocess.DEVNULL)

    def screen(self):
        return self.tmux("capture-pane", "-p", "-t", "t").stdout.decode("utf-8", "replace")

    def keys(self, *names):
        for name in names:
            self.tmux("send-keys", "-t", "t", name)

    def text(self, text):
        self.tmux("send-keys", "-t", "t", "-l", text)

    def resize(self, w, h):
        self.tmux("resize-window", "-t", "t", "-x", str(w), "-y", str(h))

    def wait(self, *texts, deadline_s=20):
        """Wait until every text is on the screen at once; returns the screen."""
        def shown():
            screen = self.screen()
            return screen if all(t in screen for t in texts) else None
        try:
            return wait_for("text", shown, deadline_s)
        except AssertionError:
            raise AssertionError("no %r on the screen:\n%s\n%s" % (texts, self.screen(), self.stderr())) from None

    def wait_gone(self, text, deadline_s=20):
        wait_for("%r to go" % text, lambda: text not in self.screen(), deadline_s)

    def stderr(self):
        try:
            with open(self.folder + "/err", errors="replace") as f:
                return f.read()
        except FileNotFoundError:
            return ""

    def exit_status(self, deadline_s=20):
        """Wait for the program's end; its exit status."""
        def ended():
            try:
                with open(self.status) as f:
                    return f.read().strip()
            except FileNotFoundError:
                return None
        try:
            return int(wait_for("the program to end", ended, deadline_s))
        except AssertionError:
            raise AssertionError("the program did not end:\n%s\n%s" % (self.screen(), self.stderr())) from None

    def close(self):
        self.tmux("kill-server")
        for name in os.listdir(self.folder):
            os.unlink(os.path.join(self.folder, name))
        os.rmdir(self.folder)
