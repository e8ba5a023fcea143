# SPDX-License-Identifier: MIT
"""spf_suite - the RFC 7208 test suite of openspf.org, as Debian's source of pyspf carries it, against backends/spf.c.

The file is fetched by apt (never copied here) and kept in the cache folder of tests/debs.py; where it can't be had, the
cases of spf_cases.py are all there is, and this says skip.
"""
import glob
import os
import shutil
import subprocess
import sys
import tarfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.dirname(HERE))
import debs  # noqa: E402

MEMBER = "test/rfc7208-tests.yml"
# Where the suite allows several results any of them will do. Cases we mean to answer otherwise: none.


def fetch():
    """The text of the suite, or None."""
    kept = os.path.join(debs.CACHE, "rfc7208-tests.yml")
    if os.path.exists(kept):
        with open(kept, encoding="utf-8") as f:
            return f.read()
    if not shutil.which("apt-get"):
        return None
    work = kept + ".work"
    shutil.rmtree(work, ignore_errors=True)
    os.makedirs(os.path.join(work, "lists", "partial"))
    with open("/etc/os-release", encoding="utf-8") as f:
        codename = dict(line.rstrip().split("=", 1) for line in f if "=" in line).get("VERSION_CODENAME", "bookworm")
    with open(os.path.join(work, "sources"), "w", encoding="utf-8") as f:
        f.write("deb-src http://deb.debian.org/debian %s main\n" % codename)
    options = ["-o", "Dir::Etc::sourcelist=" + os.path.join(work, "sources"), "-o", "Dir::Etc::sourceparts=-",
               "-o", "Dir::State::lists=" + os.path.join(work, "lists")]
    quiet = dict(cwd=work, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                 timeout=debs.DOWNLOAD_S, check=False)
    try:
        subprocess.run(["apt-get", *options, "update"], **quiet)
        subprocess.run(["apt-get", *options, "source", "--download-only", "pyspf"], **quiet)
        with tarfile.open(glob.glob(os.path.join(work, "pyspf_*.orig.tar.*"))[0]) as tar:
            member = next(m for m in tar.getmembers() if m.name.endswith(MEMBER))
            text = tar.extractfile(member).read().decode("utf-8")
        with open(kept, "w", encoding="utf-8") as f:
            f.write(text)
        return text
    except (subprocess.SubprocessError, OSError, IndexError, StopIteration, tarfile.TarError):
        return None
    finally:
        shutil.rmtree(work, ignore_errors=True)


def zone_of(data):
    """A scenario's zonedata as server.py has it."""
    zone = {}
    for name, records in data.items():
        rows = []
        has_txt = any(isinstance(r, dict) and "TXT" in r for r in records)
        for record in records:
            if record == "TIMEOUT":
                rows.append("TIMEOUT")
                continue
            (kind, value), = record.items()
            if value == "TIMEOUT":
                rows.append(("TXT" if kind == "SPF" else kind, None))
            elif kind == "SPF":
                if not has_txt:
                    rows.append(("TXT", value))
            elif value != "NONE":
                rows.append((kind, tuple(value) if kind == "MX" else value))
        # "TIMEOUT" as the only thing: no answer; behind records: types that are not there do not answer
        if rows == ["TIMEOUT"]:
            zone[name] = None
        else:
            kinds = {row[0] for row in rows if row != "TIMEOUT"}
            if "TIMEOUT" in rows:
                rows = [row for row in rows if row != "TIMEOUT"]
                rows += [(kind, None) for kind in ("A", "AAAA", "MX", "TXT", "PTR") if kind not in kinds]
            zone[name] = rows
    return zone


def cases(text):
    """(scenario's zone, [(name, ip, helo, local, domain, wanted results)])."""
    import yaml
    for document in yaml.safe_load_all(text):
        if not document or "tests" not in document:
            continue
        rows = []
        for name, test in sorted(document["tests"].items()):
            sender = test["mailfrom"]
            local, at, domain = sender.rpartition("@")
            if not sender:
                domain, local = test["helo"], ""
            elif not at:
                domain, local = sender, ""
            result = test["result"]
            rows.append((name, test["host"], test["helo"], local, domain,
                         [result] if isinstance(result, str) else result))
        yield zone_of(document["zonedata"]), rows
