#!/usr/bin/env bash
# Run the tests that a marker expression selects: run_tests.sh EXPRESSION [PYTEST ARGUMENT...]
#
# Many tests run several real programs beside each other on whatever machine this is. If a few of them fail they are run
# once more, one at a time, and the first failure stays in the output: failing twice is red, and so is failing broadly.
set -uo pipefail

FEW=4 # more than so many failures are no accident

expression=$1
shift
pytest=(.venv/bin/python -m pytest -m "$expression")
"${pytest[@]}" "$@"
status=$?
[ "$status" -eq 1 ] || exit "$status"
failed=$(.venv/bin/python -c 'import json; print(len(json.load(open(".pytest_cache/v/cache/lastfailed"))))' 2>/dev/null || echo 999)
[ "$failed" -le "$FEW" ] || exit "$status"
echo "run_tests: $failed failed; once more, one at a time" >&2
"${pytest[@]}" --last-failed --last-failed-no-failures none
