# SPDX-License-Identifier: MIT
"""debs - programs of Debian packages for tests, unpacked into a cache folder and never installed.

Some peers can't be installed beside each other (two mail servers) or would start a service. fetch() gives the
folder a package was unpacked into, or None where it can't be had: the caller skips, saying so.
"""
import fcntl
import glob
import os
import shutil
import subprocess

CACHE = os.path.join(os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache"), "mtatop-tests", "debs")
DOWNLOAD_S = 300


def fetch(package):
    """The root folder of the unpacked package; downloaded once, then used without a network."""
    root = os.path.join(CACHE, package)
    os.makedirs(CACHE, exist_ok=True)
    with open(os.path.join(CACHE, ".lock"), "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if os.path.isdir(root):
            return root
        return unpack(package, root)


def unpack(package, root):
    if not shutil.which("apt-get") or not shutil.which("dpkg-deb"):
        return None
    work = root + ".new"
    shutil.rmtree(work, ignore_errors=True)
    os.makedirs(work)
    try:
        subprocess.run(["apt-get", "download", "-q", package], cwd=work, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                       stderr=subprocess.DEVNULL, timeout=DOWNLOAD_S, check=True)
        deb = glob.glob(os.path.join(work, "*.deb"))[0]
        subprocess.run(["dpkg-deb", "-x", deb, work], stdin=subprocess.DEVNULL, check=True)
        os.unlink(deb)
    except (subprocess.SubprocessError, IndexError, OSError):
        shutil.rmtree(work, ignore_errors=True)
        return None
    os.rename(work, root)
    return root


def program(package, path):
    """Absolute path of a program of a package, or None."""
    found = shutil.which(os.path.basename(path))
    if found:
        return found
    root = fetch(package)
    full = os.path.join(root, path) if root else None
    return full if full and os.access(full, os.X_OK) else None
