# jq's definitions that jaq's library lacks, and those where jq 1.7 gives
# another answer.

# jaq's can't set a path below null.
def setpath($path; $value): set_path($path; $value);

# Our regular expressions list a group that took no part as null, as jq does.
def scan(re; $flags): matches(re; "g" + $flags)[]
  | if length > 1 then [.[1:][].string] else .[0].string end;
def scan(re): scan(re; "");

# Keys other than `key` are what jq accepts, and a key becomes a string.
def from_entries:
  reduce .[] as $entry ({}; . + {
    ($entry
      | if .key == null then .k // .name // .Name // .K // .Key else .key end
      | if isstring then . else tojson end):
    ($entry
      | if has("value") then .value elif has("v") then .v else .Value end)
  });
def with_entries(f): to_entries | map(f) | from_entries;

# There is no process to end, so a halt with an error is an error.
def halt_error: error;
def halt_error($code): error;

def IN(source): any(source == .; .);
def IN(source; wanted): any(source == wanted; .);
def INDEX(source; key): reduce source as $row ({}; .[$row | key | tostring] |= $row);
def INDEX(key): INDEX(.[]; key);

def toarray: if isarray then . else [.] end;
# What is not a string has no prefix to trim, and passes.
def ltrimstr($s):
  if isstring and ($s | isstring) and startswith($s) then .[($s | length):] end;
def rtrimstr($s):
  if isstring and ($s | isstring) and endswith($s) then .[:length - ($s | length)] end;
def trimstr($s): ltrimstr($s) | rtrimstr($s);
def leaf_paths: paths(scalars);
def ascii: [.] | implode;
def date: todate;

def tostream:
  path(def walk_up: (.[]? | walk_up), .; walk_up) as $path
  | getpath($path)
  | reduce path(.[]?) as $child ([$path, .]; [$path + $child]);
def fromstream(events):
  { value: null, done: false } as $start
  | foreach events as $event ($start;
      if .done then $start else . end
      | if ($event | length) == 2
        then setpath(["done"]; ($event[0] | length) == 0)
          | setpath(["value"] + $event[0]; $event[1])
        else setpath(["done"]; ($event[0] | length) == 1) end;
      if .done then .value else empty end);
def truncate_stream(events):
  . as $depth | events
  | if (.[0] | length) > $depth then .[0] |= .[$depth:] else empty end;

def @csv:
  if isarray | not then error("\(tojson) cannot be a CSV row: it is not an array")
  else map(
    if isstring then "\"" + (split("\"") | join("\"\"")) + "\""
    elif . == null then ""
    elif isnumber or isboolean then tojson
    else error("\(tojson) cannot be a CSV field") end
  ) | join(",") end;
def @tsv:
  if isarray | not then error("\(tojson) cannot be a TSV row: it is not an array")
  else map(
    if isstring then
        (split("\\") | join("\\\\")) | (split("\t") | join("\\t"))
      | (split("\n") | join("\\n")) | (split("\r") | join("\\r"))
    elif . == null then ""
    elif isnumber or isboolean then tojson
    else error("\(tojson) cannot be a TSV field") end
  ) | join("\t") end;
def format($name):
  if $name == "text" then tostring
  elif $name == "json" then tojson
  elif $name == "csv" then @csv
  elif $name == "tsv" then @tsv
  elif $name == "html" then @html
  elif $name == "uri" then @uri
  elif $name == "sh" then @sh
  elif $name == "base64" then @base64
  elif $name == "base64d" then @base64d
  else error("\($name) is not a format") end;
