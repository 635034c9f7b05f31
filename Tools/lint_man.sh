#!/bin/bash
# Checks the manual pages against the headers: whatever a header declares is in
# a page, with the same words, and the other way round. Run by lint.sh.
set -uo pipefail
cd "$(dirname "$0")/.."
failed=0
complain() { echo "lint: $*"; failed=1; }
same() { # same "what" "of headers" "of pages"
  [ "$2" = "$3" ] || complain "$(printf '%s differ (<: headers, >: pages):\n%s' "$1" "$(diff <(echo "$2") <(echo "$3"))")"
}

headers=(include/pebble/*.h)
link_headers=(Sources/CPebble/{control,shared,frame,tracerecord,crashrecord,dumprecord}.h)
calls=(man/*.3)

# --- what headers declare ---

# Their text without comments and the library's own macros, one declaration a line.
declarations() {
  sed -E '/^ *#/d' "$@" | sed -E ':a; $!{N; ba}; s,/\*([^*]|\*+[^*/])*\*+/,,g' |
    sed -E 's/PEBBLE_(API|NONNULL|NULLABLE|BEGIN_DECLS|END_DECLS)\b//g; s/\balignas\([0-9]+\)//g' |
    tr '\n' ' ' | sed -E 's/[;{]/&\n/g'
}
# Blanks are where C needs them, and nowhere else.
tight() { sed -E 's/[[:space:]]+/ /g; s/ ?([^A-Za-z0-9_]) ?/\1/g; s/^ | $//g'; }

functions() { declarations "$@" | grep -E '\(.*\) *;' | tight | sort; }
# The fields of structs: whatever else ends in a semicolon between braces.
fields() {
  declarations "$@" | awk '/[{]/ {depth += !/extern/ && /(struct|enum)/ || depth; next}
    /[}]/ {depth -= depth > 0; if (!depth) next; sub(/.*[}]/, "")}
    depth == 1 && /;/ {sub(/;/, ""); print}' | tight | sort
}
constants() { # constants PREFIX FILE...
  sed -nE "s/^#define ($1[A-Z_]+) .*/\1/p; s/^ *($1[A-Z_]+)( = [^,]*)?,.*/\1/p; s/^enum [a-z_]+ \{ (.*) \};/\1/p" "${@:2}" |
    tr -s ', ' '\n' | sort -u
}
# For each function the errno values that the comment above it names, save those that other functions give.
errors_of_headers() {
  awk '/^\/\*/ {comment = ""} {comment = comment " " $0}
    /^PEBBLE_API/ {
      match($0, /pebble_[a-z_]+\(/); name = substr($0, RSTART, RLENGTH - 1)
      gsub(/(answered|gives( it)?) -E[A-Z]+/, "", comment)
      while (match(comment, /-E[A-Z]+/)) {
        print name, substr(comment, RSTART + 1, RLENGTH - 1); comment = substr(comment, RSTART + RLENGTH)
      }
      comment = ""
    }' "${headers[@]}" | sort -u
}

# --- what pages say ---

synopses() {
  awk '/^\.Sh / {on = /SYNOPSIS/} !on {next}
    /^\.Ft / {type = substr($0, 5); gsub(/"/, "", type)}
    /^\.Fn / {
      rest = substr($0, 5); name = rest; sub(/ .*/, "", name); sub(/^[^ ]+ */, "", rest)
      gsub(/" "/, ", ", rest); gsub(/"/, "", rest); print type " " name "(" rest ");"
    }
    /^\.Fo / {name = $2; arguments = ""; next}
    /^\.Fa / {argument = substr($0, 5); gsub(/"/, "", argument); arguments = arguments (arguments ? ", " : "") argument}
    /^\.Fc/ {print type " " name "(" arguments ");"}' "$@" | tight | sort
}
items() { sed -nE 's/^\.It Va "(.*)"/\1/p' "$@" | tight | sort; }
mentioned() { sed -nE "/^\.(It )?Dv .*$1/p" "${@:2}" | grep -oE "\b$1[A-Z_]+" | sort -u; }
# In ERRORS, a function that is named after a list begins the next one.
errors_of_pages() {
  awk '/^\.Sh / {on = /ERRORS/; count = 0} !on {next}
    /^\.Bl/ {depth++} /^\.El/ {depth--; ended = 1}
    /^\.Fn / && !depth {if (ended) count = 0; ended = 0; names[count++] = $2}
    /^\.It Bq Er/ {for (i = 0; i < count; i++) print names[i], $4}' "${calls[@]}" | sort -u
}

# --- are they the same? ---

same 'prototypes' "$(functions "${headers[@]}")" "$(synopses "${calls[@]}")"
same 'fields of structs' "$(fields "${headers[@]}" | sort -u)" "$(items "${calls[@]}" | sort -u)"
same 'constants' "$(constants PEBBLE_ "${headers[@]}" | grep -vE '_H$|^PEBBLE_(QUIET|LOUD|API|(BEGIN|END)_DECLS|NONNULL|NULLABLE)$')" \
  "$(mentioned PEBBLE_ "${calls[@]}")"
unsaid=$(comm -23 <(errors_of_headers) <(errors_of_pages))
[ -z "$unsaid" ] || complain "$(printf 'errors that a header names and no page:\n%s' "$unsaid")"

same 'fields of the link' "$(fields "${link_headers[@]}" | sort -u)" "$(items man/pebble-link.7 | sort -u)"
same 'constants of the link' "$(constants PB_ "${link_headers[@]}" | grep -vE '_(H|KINDS|FDS|MAGIC|SLOTS|SIZE)$|^PB_(CRASH|TRACE|DUMP)_')" \
  "$(mentioned PB_ man/pebble-link.7 | grep -vE '^PB_(CRASH|TRACE|DUMP)_')"

# --- each page by itself ---

installed=$(sed -nE 's/^\.Nm ([a-z_-]+).*/\1/p' man/* | sort -u)
for page in man/*; do
  title=$(basename "${page%.*}")
  names=$(sed -n '/^\.Sh NAME/,/^\.Nd/s/^\.Nm \([a-z_-]*\).*/\1/p' "$page")
  [ "$(head -n 1 <<<"$names")" = "$title" ] || complain "$page: its first name is another"
  while read -r name; do
    grep -qx "$name" <<<"$names" || complain "$page: $name is in the synopsis, and not among the names"
  done < <(synopses "$page" | grep -v '^typedef' | grep -oE 'pebble_[a-z_]+\(' | tr -d '(')
  while read -r other; do
    grep -qx "$other" <<<"$installed" || complain "$page refers to $other, which there is not"
  done < <(sed -nE 's/^\.(It )?(Pq )?Xr (pebble[a-z_-]*) .*/\3/p' "$page")
  if grep -q '^\.F[no] pebble' "$page"; then
    for section in 'RETURN VALUES' EXAMPLES 'SEE ALSO'; do
      grep -qx "\.Sh $section" "$page" || complain "$page has no section $section"
    done
  fi
done
mandoc -T lint -W warning man/* Command/pebble.1 || failed=1
exit $failed
