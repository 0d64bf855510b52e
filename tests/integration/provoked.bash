# shellcheck shell=bash
# provoked.bash - the tables of errors that are provoked, and what reads them.
#
# Used by:  provoked-*.bats
# Needs:    lib.bash

# shellcheck disable=SC2034
PROVOKED=$TESTS/cases/provoked

# provoked ACTION ARGUMENT... - provoked.py
provoked() {
    WORK=$WORK "$PYTHON" "$LIB_DIRECTORY/provoked.py" "$@"
}
