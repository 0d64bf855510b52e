#!/bin/sh
# The runner's own test: every way a test can fail to be good must be counted as a failure,
# and good ones must not be. Prints TAP.
set -u
here=$(cd "$(dirname "$0")" && pwd)
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
count=0

# program NAME: a test program made of the shell text on standard input.
program() {
    { echo '#!/bin/sh'; cat; } >"$dir/$1"
    chmod +x "$dir/$1"
}

# expect TITLE "LAST LINE" STATUS "PART OF THE OUTPUT" ARGUMENTS...: what the runner must say.
expect() {
    title=$1 last=$2 status=$3 part=$4
    shift 4
    count=$((count + 1))
    "$here/run" --log "$dir/log" "$@" >"$dir/said" 2>&1
    got=$?
    if [ "$(tail -n 1 "$dir/said")" = "$last" ] && [ $got -eq "$status" ] &&
        grep -qF -- "$part" "$dir/said"; then
        echo "ok $count - $title"
    else
        echo "not ok $count - $title"
        echo "# wanted: $last (exit status $status), with: $part"
        echo "# got exit status $got:"
        sed 's/^/# /' "$dir/said"
        failures=1
    fi
}
failures=0

program good <<'P'
echo 1..2; echo "ok 1 - one"; echo "ok 2 - two"
P
program planned_last <<'P'
echo "ok 1 - one"; echo "ok 2 - two"; echo 1..2
P
program failing <<'P'
echo 1..2; echo "ok 1 - one"; echo "not ok 2 - two"; echo "wanted this" >&2; exit 1
P
program lying <<'P'
echo 1..2; echo "ok 1 - one"; echo "not ok 2 - two"; exit 0
P
program no_plan <<'P'
echo "ok 1 - one"
P
program silent <<'P'
exit 0
P
program short <<'P'
echo 1..3; echo "ok 1 - one"; echo "ok 2 - two"
P
program long <<'P'
echo 1..1; echo "ok 1 - one"; echo "ok 2 - two"
P
program crash <<'P'
echo 1..1; echo "ok 1 - one"; kill -SEGV $$
P
program status <<'P'
echo 1..1; echo "ok 1 - one"; exit 3
P
program bail <<'P'
echo 1..1; echo "ok 1 - one"; echo "Bail out! no server"
P
program todo <<'P'
echo 1..1; echo "not ok 1 - one # TODO later"
P
program skipping <<'P'
echo 1..2; echo "ok 1 - one"; echo "ok 2 - needs a tape drive # skip no tape drive"
P
program skipping_cmocka <<'P'
echo 1..2; echo "ok 1 - one"; echo "not ok 2 # SKIP needs_tape"
P
program skipping_all <<'P'
echo "1..0 # skip no tape drive"
P
program hanging <<'P'
echo 1..1; echo "ok 1 - one"; sleep 600
P
program leaving <<'P'
echo 1..1; sleep 600 >/dev/null 2>&1 & sleep 0.3; echo "ok 1 - one"
P
program leaving_daemon <<'P'
echo 1..1; setsid sleep 600 >/dev/null 2>&1 & sleep 0.3; echo "ok 1 - one"
P
program daemon_beside <<'P'
echo 1..1
pid=$(sh -c 'setsid sleep 600 >/dev/null 2>&1 & echo $!')
sleep 1.5
kill "$pid" && echo "ok 1 - it was left alone"
P
program stops_daemon <<'P'
echo 1..1
pid=$(sh -c 'setsid sleep 600 >/dev/null 2>&1 & echo $!')
kill "$pid"
for i in 1 2 3 4 5 6 7 8 9 10; do
    kill -0 "$pid" 2>/dev/null || { echo "ok 1 - gone"; exit 0; }
    sleep 0.1
done
echo "not ok 1 - still there"
P
program instead <<'P'
exec "$(dirname "$1")/$HOW"
P
program reads <<'P'
echo 1..1; if read -r line; then echo "not ok 1 - got input"; else echo "ok 1 - no input"; fi
P
echo "skipping* | needs* | there is no tape drive" >"$dir/may-skip"
echo "skipping_all | [*] | there is no tape drive" >>"$dir/may-skip"
echo "skipping | no reason" >"$dir/bad-may-skip"

echo 1..31
expect "passing tests are counted" "2 passed, 0 failed" 0 "2 passed" --group g "$dir/good"
expect "a plan may come last" "2 passed, 0 failed" 0 "2 passed" --group g "$dir/planned_last"
expect "a failed test is a failure" "1 passed, 1 failed" 1 "failed: two" --group g "$dir/failing"
expect "what it wrote to stderr is shown" "1 passed, 1 failed" 1 "stderr: wanted this" \
    --group g "$dir/failing"
expect "the command that runs it again is shown" "1 passed, 1 failed" 1 \
    "rerun: make check-unit T=failing" --group g --rerun "make check-unit T={}" "$dir/failing"
expect "a failed test counts whatever the exit status" "1 passed, 1 failed" 1 "failed: two" \
    --group g "$dir/lying"
expect "no plan is a failure" "1 passed, 1 failed" 1 "printed no plan" --group g "$dir/no_plan"
expect "no output is a failure" "0 passed, 1 failed" 1 "printed no plan" --group g "$dir/silent"
expect "fewer results than planned" "2 passed, 1 failed" 1 "planned 3 tests, reported 2" \
    --group g "$dir/short"
expect "more results than planned" "2 passed, 1 failed" 1 "planned 1 tests, reported 2" \
    --group g "$dir/long"
expect "a crash is a failure" "1 passed, 1 failed" 1 "ended by SIGSEGV" --group g "$dir/crash"
expect "an exit status is a failure" "1 passed, 1 failed" 1 \
    "exit status 3 although no test failed" --group g "$dir/status"
expect "giving up is a failure" "1 passed, 1 failed" 1 "Bail out! no server" \
    --group g "$dir/bail"
expect "TODO excuses nothing" "0 passed, 1 failed" 1 "failed: one" --group g "$dir/todo"
expect "a skip nobody listed is a failure" "1 passed, 1 failed" 1 "does not name it" \
    --group g "$dir/skipping"
expect "a listed skip is a skip" "1 passed, 0 failed, 1 skipped" 0 "1 skipped" \
    --may-skip "$dir/may-skip" --group g "$dir/skipping"
expect "cmocka's form of a skip" "1 passed, 0 failed, 1 skipped" 0 "1 skipped" \
    --may-skip "$dir/may-skip" --group g "$dir/skipping_cmocka"
expect "a whole file skipped and listed" "0 passed, 1 failed, 1 skipped" 1 "nothing was run" \
    --may-skip "$dir/may-skip" --group g "$dir/skipping_all"
expect "a skip needs a reason" \
    "$dir/bad-may-skip:1: needs: file | test | reason" 1 "needs: file" \
    --may-skip "$dir/bad-may-skip" --group g "$dir/good"
expect "a timeout is a failure" "1 passed, 1 failed" 1 "still running after 1 s" \
    --group g --timeout 1 "$dir/hanging"
expect "a process left running is a failure" "1 passed, 1 failed" 1 "left running: sleep" \
    --group g "$dir/leaving"
expect "a daemon left running is a failure" "1 passed, 1 failed" 1 "left running: sleep" \
    --group g "$dir/leaving_daemon"
expect "whose daemon was left running is known" "2 passed, 1 failed" 1 \
    "daemon_beside            1 passed (" --group g --jobs 2 "$dir/leaving_daemon" "$dir/daemon_beside"
expect "a daemon that was stopped is gone" "1 passed, 0 failed" 0 "1 passed" \
    --group g "$dir/stops_daemon"
expect "a program that is not there" "0 passed, 1 failed" 1 "printed no plan" \
    --group g "$dir/absent"
expect "nobody waits for a person" "1 passed, 0 failed" 0 "1 passed" --group g "$dir/reads"
expect "a command is one test" "2 passed, 1 failed" 1 "exit status 7" --group g \
    --do works "exit 0" --do breaks "exit 7" --do "works too" "true"
expect "groups add up, two at a time" "7 passed, 1 failed" 1 "failed: two" \
    --group a --jobs 2 "$dir/good" "$dir/planned_last" --group b "$dir/failing" "$dir/good"
expect "the time for all together" "1 passed, 2 failed" 1 "not run: the time for all" \
    --budget 1 --group g "$dir/hanging" "$dir/good"
expect "a group's environment and command in front" "1 passed, 1 failed" 1 "failed: two" \
    --group g --env HOW=failing --under "$dir/instead" "$dir/good"
expect "nothing to run is a failure" "0 passed, 1 failed" 1 "nothing was run" --group g
exit $failures
