#!/bin/sh
# SPDX-License-Identifier: MIT
# regold - write the golden screens anew from what the views draw now. Read the diff before committing it.
#   sh tests/regold.sh [build folder]
set -eu
top=$(cd "$(dirname "$0")/.." && pwd)
build=${1:-$top/build-test/gcc}
ninja -C "$build" tests/golden tests/test_report
rm -f "$top"/tests/golden/*.txt "$top"/tests/golden/*.sty
cd "$top"
GOLDEN_UPDATE=1 TZ=UTC LANG=C.UTF-8 "$build/tests/golden"
GOLDEN_UPDATE=1 TZ=UTC LANG=C.UTF-8 "$build/tests/test_report"
git -C "$top" status --short tests/golden tests/fixtures/report
