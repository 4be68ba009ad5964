#!/bin/sh
# Every address that ends in a slash comes here: the page, a new note, and whether we are ready.
set -eu

BYTES_MAX=16384

answer() { # status, media type
  printf 'Status: %s\r\nContent-Type: %s; charset=utf-8\r\nCache-Control: no-store\r\n' "$1" "$2"
  shift 2
  [ $# -eq 0 ] || printf '%s\r\n' "$@"
  printf '\r\n'
}

refuse() { # status
  answer "$1" text/plain
  echo "$1"
  exit 0
}

# Text as HTML, for the title; the notes are escaped where they are read.
escape() {
  printf '%s' "$1" | sed 's/&/\&amp;/g; s/</\&lt;/g; s/>/\&gt;/g; s/"/\&quot;/g'
}

query() {
  psql -qXAt -v ON_ERROR_STOP=1 "$@" 2>/dev/null
}

ready() {
  query -c 'SELECT FROM notes LIMIT 1' >/dev/null || refuse '503 Service Unavailable'
  answer '200 OK' text/plain
  echo ready
}

add() {
  case ${CONTENT_LENGTH:-} in '' | *[!0-9]*) refuse '411 Length Required' ;; esac
  [ "$CONTENT_LENGTH" -le "$BYTES_MAX" ] || refuse '413 Content Too Large'
  form=$(head -c "$CONTENT_LENGTH")
  case $form in body=*) ;; *) refuse '400 Bad Request' ;; esac
  form=${form#body=}
  body=$(httpd -d "${form%%&*}")
  # psql quotes the variable, so that a note is never SQL. A note of blanks only is no note.
  result=$(query -v body="$body" <<'SQL'
SELECT 1;
INSERT INTO notes (body) SELECT it FROM btrim(:'body', E' \t\r\n') AS it WHERE it <> '';
SQL
  ) || {
    # The 1 came: the database is there, and refused this text (it is not UTF-8).
    [ -z "$result" ] || refuse '400 Bad Request'
    refuse '503 Service Unavailable'
  }
  answer '303 See Other' text/plain 'Location: /'
}

page() {
  title=$(escape "${SPACE_TITLE:-Notes}")
  notes=$(query <<'SQL'
SELECT format('<li><p>%s</p><time datetime="%s">%s UTC</time>',
  replace(replace(replace(body, '&', '&amp;'), '<', '&lt;'), '>', '&gt;'),
  to_char(written_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'),
  to_char(written_at AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI'))
FROM notes ORDER BY id DESC LIMIT 200;
SQL
  ) || refuse '503 Service Unavailable'
  answer '200 OK' text/html
  cat <<PAGE
<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>$title</title>
<style>
  body { max-width: 38rem; margin: 2rem auto; padding: 0 1rem;
    font: 1.05rem/1.5 system-ui, sans-serif; color: #1d2a24; background: #f4f7f4 }
  h1 { overflow-wrap: anywhere }
  textarea { box-sizing: border-box; width: 100%; padding: .6rem; font: inherit;
    border: 1px solid #9db3a5; border-radius: .4rem }
  button { margin-top: .5rem; padding: .5rem 1.2rem; font: inherit; color: #fff; background: #2c6e49;
    border: 0; border-radius: .4rem; cursor: pointer }
  ul { list-style: none; padding: 0 }
  li { margin: .8rem 0; padding: .6rem 1rem; background: #fff; border-radius: .4rem }
  li p { margin: 0; white-space: pre-wrap; overflow-wrap: anywhere }
  time { font-size: .8rem; color: #5b6d62 }
</style>
<h1>$title</h1>
<form method="post" action="/">
  <label for="body">A new note</label>
  <textarea id="body" name="body" rows="3" maxlength="2000" required></textarea>
  <button>Add</button>
</form>
<ul>
$notes
</ul>
</html>
PAGE
}

case ${REQUEST_METHOD:-}:${REQUEST_URI%%\?*} in
  GET:/ready/ | HEAD:/ready/) ready ;;
  GET:/ | HEAD:/) page ;;
  POST:/) add ;;
  *:/) refuse '405 Method Not Allowed' ;;
  *) refuse '404 Not Found' ;;
esac
