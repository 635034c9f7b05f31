#!/bin/bash
# What the built `pebble` does, seen from outside: $1 is the program.
set -uo pipefail
pebble=$(realpath "$1")
page=$(realpath "$(dirname "$0")/../pebble.1")
readme=$(realpath "$(dirname "$0")/../../README.md")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
failed=0

# expect NAME STATUS OUTPUT: of the command in the function `run`
expect() {
    local output status
    output=$(timeout -k 5 60 bash -c "$(declare -f run); run" 2>errors)
    status=$?
    if [ "$status" = "$2" ] && [ "$output" = "$3" ]; then
        echo "ok    command: $1"
    else
        echo "FAIL  command: $1: status $status, expected $2"
        diff <(echo "$output") <(echo "$3")
        cat errors
        failed=$((failed + 1))
    fi
}
export pebble page readme

run() {
    diff <(for verb in run top; do "$pebble" $verb --help </dev/null; done | sed -n 's/^ *-/-/p' | sed 's/<.*//; s/  .*//' | grep -oE -- '--[a-z-]+' | sort -u) \
        <(sed -n 's/^\.It Fl//p' "$page" | tr ' ' '\n' | sed -n 's/^-[a-z]/-&/p' | sort -u)
}
expect "the manual page has the options that there are" 0 ""

run() { printf '%s\n' a 'b  c' '$(touch no)' | "$pebble" run -k 'echo {#}:{}'; }
expect "lines become single words" 0 $'1:a\n2:b  c\n3:$(touch no)'

run() { printf 'x\0y\nz\0' | "$pebble" run -0 -k 'printf "[%s]"'; }
expect "lines that end with a zero byte" 0 $'[x][y\nz]'

run() { printf '%s\n' 1 0 3 | "$pebble" run -k --report r.json 'exit' 2>errors.txt; s=$?; cat errors.txt; return $s; }
expect "exit codes" 1 $'pebble: line 1: exited with 1: exit 1\npebble: line 3: exited with 3: exit 3' 

run() { sort r.json | grep -o '"exitCode":[0-9]*\|"outcome":"[a-z]*"\|"succeeded":[0-9]*'; }
expect "the report" 0 $'"exitCode":0\n"outcome":"succeeded"\n"exitCode":1\n"outcome":"failed"\n"exitCode":3\n"outcome":"failed"\n"succeeded":1'

# A command that goes into a session of its own, with a child there, is gone with the worker: it can write nothing more,
# and the end of the pipe is seen.
run() { mkfifo alive; cat alive >/dev/null & echo x | "$pebble" run -q -t 200ms 'setsid sh -c "sleep 1000 & sleep 1000" >alive; true'; s=$?; wait; echo gone; return $s; }
expect "a command over its time dies with all it started" 1 gone

# Of several tries only what the last one wrote is put out.
run() { echo x | "$pebble" run -r 3 'echo try >>tries; wc -l <tries; [ $(wc -l <tries) = 3 ] && :'; }
expect "retries" 0 3

run() { seq 40 | "$pebble" run -k -j 8 'seq {} | tail -1'; }
expect "the order of the lines is kept" 0 "$(seq 40)"

run() { echo x | "$pebble" run 'head -c 3000000 /dev/zero | tr "\0" "a" | fold -w 99; echo end; :' | md5sum; }
expect "output that is too much for memory" 0 "$( (head -c 3000000 /dev/zero | tr '\0' a | fold -w 99; echo end) | md5sum)"

run() { seq 3 | "$pebble" run -j 1 --tag --line-buffer 'echo hello; : '; }
expect "tags" 0 $'1\thello\n2\thello\n3\thello'

run() { seq 100 | "$pebble" run -j 1 'echo {} >>order;'; cat order; }
expect "lines begin in their order" 0 "$(seq 100)"

run() { seq 1000 | "$pebble" run -j 2 --fail-fast -q 'echo x >>count; false' ; s=$?; [ $(wc -l <count) -lt 100 ] && echo few; return $s; }
expect "the first failure ends the run" 1 few

run() { (sh -c 'echo $PPID' >parent; exec "$pebble" run -j 1 --report s.json 'kill -TERM $(cat parent); sleep 1000;' < <(yes)) ; s=$?; grep -c '"cancelled":[1-9]' s.json; return $s; }
expect "a signal stops the run, and the report is whole" 143 1

run() { echo x | "$pebble" run --dry-run 'rm -rf'; }
expect "a dry run" 0 'rm -rf x'

run() { set -o pipefail; "$pebble" run -j 0 true </dev/null 2>&1 | sed -n 1p; }
expect "wrong uses are named" 64 "Error: --jobs wants a number from 1 to 65536."

run() { set -o pipefail; "$pebble" run --jbos 2 true </dev/null 2>&1 | sed -n 1p; }
expect "options that there are not" 64 "Error: There is no option --jbos."

run() { echo x | "$pebble" run -j 1 -- echo; }
expect "two dashes before the command" 0 x

run() { set -o pipefail; "$pebble" run -a nowhere true 2>&1 | sed -n 1p; }
expect "an input that is not there" 64 "Error: nowhere: No such file or directory"

run() { echo x | "$pebble" run --quiet --memory 64M 'head -c 200M /dev/zero | tail -c 200M >/dev/null;'; }
expect "a limit of memory" 1 ""

run() { echo job | "$pebble" run '"$pebble" top --once | grep " run .* 1 job$" | sed "s/^ *[0-9]*//; s/ [RS] .*  / /" ; :'; }
expect "top sees the job that looks" 0 "  run               1 1 job"

# As it stands there, with pictures of which one has a blank in its name; and the thumbnails are no larger than 64 by 64.
run() {
    mkdir pictures && cd pictures || return
    convert -size 128x96 xc:red a.png && convert -size 96x96 xc:blue 'b c.png' || return
    awk '/^```sh$/ { shell = 1; next } /^```$/ { shell = 0 } shell' "$readme" >block.sh
    PATH=$(dirname "$pebble"):$PATH sh -e block.sh >/dev/null || return
    grep -o '"succeeded":[0-9]*' report.json
    od -An -tu4 --endian=big -j16 -N8 thumbs/a.png && od -An -tu4 --endian=big -j16 -N8 'thumbs/b c.png'
}
expect "what the README has" 0 $'"succeeded":2\n         64         48\n         64         64'

[ $failed = 0 ] && echo "command: all passed"
exit $failed
