# Functions for the cases' cmd files; tests/e2e/README.md lists them. Sourced by run with `set -euo pipefail`.
# shellcheck shell=bash

DATA=$WORK/data             # The server's directory; `DATA=$WORK/other start_server` starts a second one.
COURSE=ICS2024              # What submit hands in to.
SAMPLES=$ROOT/examples/ics  # $SAMPLES/MODULE/samples/NAME/src
SERVER_PREFIX=()            # A command to run the server under, such as strace.
URL='' SERVER_PID='' TOKEN=''

outside() { python3 "$E2E/outside.py" "$@"; }

fail() { printf 'case: %s\n' "$*" >&2; exit 1; }

# Skips the case unless each named thing is there: root, or a program.
needs() {
  local thing
  for thing; do
    case $thing in
      root) ((EUID == 0)) || skip "needs root for namespaces and cgroups" ;;
      strace) strace -o /dev/null true 2>/dev/null || skip "strace is missing or may not trace here" ;;
      *) command -v "$thing" >/dev/null || skip "needs $thing" ;;
    esac
  done
}
skip() { printf 'SKIPPED: %s\n' "$*"; exit 77; }

# start_server [ARGUMENT…]: returns when the server listens; sets URL and SERVER_PID.
start_server() {
  local ready=$WORK/.ready line='' descriptor
  rm -f "$ready"
  mkfifo "$ready"
  # Opened for both directions: the server keeps a reader, so nothing it may print later can end it.
  (
    cd "$WORK" || exit
    unset "${!ASSAY_@}"
    exec setsid "${SERVER_PREFIX[@]}" "$ASSAY" serve --data "$DATA" --listen 127.0.0.1:0 "$@"
  ) 1<>"$ready" 2>>"$DATA.log" </dev/null &
  SERVER_PID=$!
  exec {descriptor}<"$ready"
  read -r -t 30 line <&"$descriptor" || true
  exec {descriptor}<&-
  [[ $line =~ ^listening\ on\ (http://[^ ]+:[0-9]+)$ ]] || fail "the server did not say that it listens, but '$line'"
  URL=${BASH_REMATCH[1]}
}

# Asks the server to stop and waits; prints nothing, returns its exit code.
stop_server() {
  kill -TERM "$SERVER_PID"
  wait "$SERVER_PID"
}

# kill -9 of the server process alone; remembers what it had, for `leftovers`.
kill_server_hard() {
  outside snapshot "$DATA" "$SERVER_PID" >"$DATA.before"
  kill -KILL "$SERVER_PID"
  wait "$SERVER_PID" || true
}

# Processes, mounts, cgroups and temporary files that should be gone, or "nothing is left". With a running server: what
# its predecessor left; otherwise everything that belongs to the data directory.
leftovers() {
  local server=''
  [[ -z $SERVER_PID ]] || ! kill -0 "$SERVER_PID" 2>/dev/null || server=$SERVER_PID
  outside leftovers "$DATA" "$server" "$DATA.before"
}

apply_course() { "$ASSAY" course apply "$1" --data "$DATA" >&2; }

# import_roster [COURSE]: twenty participants s01 … s20; TOKEN becomes the first one's.
import_roster() {
  local course=${1:-$COURSE} number
  {
    echo 'id,name'
    for number in {01..20}; do echo "s$number,学生 $number"; done
  } >"$WORK/roster.csv"
  "$ASSAY" roster import "$course" "$WORK/roster.csv" --data "$DATA" >&2
  TOKEN=$(token_of s01 "$course")
}

# A column of `roster export` for one participant: roster_field COLUMN ID [COURSE]
roster_field() {
  "$ASSAY" roster export "${3:-$COURSE}" --data "$DATA" | python3 -c '
import csv, sys
found = [row[sys.argv[1]] for row in csv.DictReader(sys.stdin) if row["id"] == sys.argv[2]]
sys.exit(f"no participant {sys.argv[2]}") if not found else print(found[0])' "$1" "$2"
}
token_of() { roster_field token "$@"; }
key_of() { roster_field key "$@"; }

pack() { tar -C "$1" -cjf "$2" .; }
pack_sample() { pack "$SAMPLES/$1/samples/$2/src" "$3"; }  # MODULE NAME FILE

# submit MODULE FILE [TOKEN]: prints "STATUS LINE"
submit() {
  curl -sS --max-time 60 -o "$WORK/.answer" -w '%{http_code} ' \
    -F "token=${3:-$TOKEN}" -F "course=$COURSE" -F "module=$1" -F "file=@$2" "$URL/upload"
  cat "$WORK/.answer"
}
# The id in such a line.
id_of() {
  [[ $1 =~ Received\ ([A-Za-z0-9]{16})\ at ]] || fail "not accepted: $1"
  printf '%s\n' "${BASH_REMATCH[1]}"
}

submission_json() { curl -sS --max-time 30 -H "Authorization: Bearer ${2:-$TOKEN}" "$URL/api/v1/submissions/$1"; }
wait_state() { outside wait "$URL" "$1" "${3:-$TOKEN}" "$2" >/dev/null; }      # ID STATE [TOKEN]
wait_verdict() { outside verdict "$URL" "$1" "${2:-$TOKEN}"; }                 # ID [TOKEN]: "VERDICT SCORE"
# verdict_fits ID MODULE SAMPLE [TOKEN]: waits; fails, and prints both, when the verdict is not what expect.toml says
verdict_fits() { outside fits "$URL" "$1" "${4:-$TOKEN}" "$SAMPLES/$2/samples/$3"; }

# lines_of PAGE BEGINNING: the lines that a page has to be copied and that begin so, as a reader copies them.
lines_of() {
  python3 -c '
import html, re, sys
for block in re.findall(r"<pre[^>]*>(.*?)</pre>", open(sys.argv[1], encoding="utf-8").read(), re.S):
    for line in html.unescape(block).strip("\n").split("\n"):
        if line.startswith(sys.argv[2]):
            print(line)' "$@"
}
