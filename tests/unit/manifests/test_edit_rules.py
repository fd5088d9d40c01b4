# ruff: noqa: E501
"""The rules of editing beyond the shared cases: one row a rule, as content, address, new value, and the text or the code that must come."""

import time
from contextlib import suppress
from typing import Any

import pytest

from bot.manifests import EditRefused, edit

NEW = "sha256:" + "2e" * 32
OLD = "sha256:" + "1f" * 32
PATH = {"path": "$.tag"}

EDITED: list[tuple[str, str, dict[str, Any], Any, str]] = [
    ("nothing between colon and comma", "{tag: , x: 1}\n", PATH, "v1", "{tag: v1 , x: 1}\n"),
    ("strict JSON keeps to JSON", '{"tag": null}\n', PATH, "v1", '{"tag": "v1"}\n'),
    ("JSON number becomes text", '{"tag": 1.9}', PATH, "1.10", '{"tag": "1.10"}'),
    ("surrogate pairs of JSON", '{"image":"acme/api:1","e":"\\ud83d\\ude80"}', {"image": "acme/api"}, {"tag": "2"}, '{"image":"acme/api:2","e":"\\ud83d\\ude80"}'),
    ("anchor without a value", "tag: &v # c\nx: 1\n", PATH, "v2", "tag: &v v2 # c\nx: 1\n"),
    ("tag without a value", "tag: !!str # c\n", PATH, "v2", "tag: !!str v2 # c\n"),
    ("non-specific tag is text, but not for Go", "tag: ! v1\n", PATH, "1.10", 'tag: ! "1.10"\n'),
    ("null written out", "tag: ~\n", PATH, "v1", "tag: v1\n"),
    ("empty list item", "- \n- a\n", {"path": "$[0]"}, "v1", "- v1 \n- a\n"),
    ("explicit key", "? tag\n: v1\n", PATH, "v2", "? tag\n: v2\n"),
    ("quotes inside double quotes", 'tag: "x"\n', PATH, 'q"uo\\te', 'tag: "q\\"uo\\\\te"\n'),
    ("quote inside single quotes", "tag: 'x'\n", PATH, "it's", "tag: 'it''s'\n"),
    ("escaped quote before the version", "tag: 'it''s 1'\n", PATH, "it's 2", "tag: 'it''s 2'\n"),
    ("backslash in single quotes", "tag: 'a\\''b\\x41 1'\n", PATH, "a\\'b\\x41 2", "tag: 'a\\''b\\x41 2'\n"),
    ("two quotes in double quotes", 'tag: "it\'\'s\\t1"\n', PATH, "it's 2", 'tag: "it\'s 2"\n'),
    ("escapes of every length", 'tag: "\\x41\\u0042\\U0001F680\\e1"\n', {"path": "$.tag", "old": "AB🚀\x1b1"}, "AB🚀v2", 'tag: "\\x41\\u0042\\U0001F680v2"\n'),
    ("comment in the new value is quoted", "tag: x\n", PATH, "v2 # x", 'tag: "v2 # x"\n'),
    ("colon in the new value is quoted", "tag: x\n", PATH, "v2: x", 'tag: "v2: x"\n'),
    ("range that starts like a block", "tag: x\n", PATH, ">=1.2 <2", 'tag: ">=1.2 <2"\n'),
    ("range that does not", "tag: x\n", PATH, "^1.2", "tag: ^1.2\n"),
    ("Go's short dates", "tag: x\n", PATH, "2026-1-2", 'tag: "2026-1-2"\n'),
    ("commit hash like a float", "tag: x\n", PATH, "7e12345", 'tag: "7e12345"\n'),
    ("y is true for Go's yaml v2", "tag: x\n", PATH, "y", 'tag: "y"\n'),
    ("the value that stands there", "tag: 1.10\n", PATH, "1.10", "tag: 1.10\n"),
    ("negative index", "a: [1,2]\n", {"path": "$.a[-1]"}, "v2", "a: [1,v2]\n"),
    ("all matches", "a: [x,y]\n", {"path": "$.a[*]", "count": "all"}, "v2", "a: [v2,v2]\n"),
    ("descendants", "a:\n  b: {c: v1}\n", {"path": "$..c"}, "v2", "a:\n  b: {c: v2}\n"),
    ("filter by truth", "a:\n- {on: true, t: v1}\n- {on: false, t: v1}\n", {"path": "$.a[?@.on==true].t"}, "v2", "a:\n- {on: true, t: v2}\n- {on: false, t: v1}\n"),
    ("filter by number", "a:\n- {n: 1, t: v1}\n- {n: 2, t: v1}\n", {"path": "$.a[?@.n==2].t"}, "v2", "a:\n- {n: 1, t: v1}\n- {n: 2, t: v2}\n"),
    ("root scalar", "v1\n", {"pointer": ""}, "v2", "v2\n"),
    ("one of two documents has it", "a: 1\n---\ntag: v1\n", PATH, "v2", "a: 1\n---\ntag: v2\n"),
    ("untagged image gets a tag", "image: acme/api\n", {"image": "acme/api"}, {"tag": "2"}, "image: acme/api:2\n"),
    ("official image by its long name", "image: nginx:1\nname: nginx\n", {"image": "docker.io/library/nginx"}, {"tag": "2"}, "image: nginx:2\nname: nginx\n"),
    ("long name by its short one", "image: index.docker.io/library/nginx:1\n", {"image": "nginx"}, "2", "image: index.docker.io/library/nginx:2\n"),
    ("whole reference as text", "image: acme/api:1\n", {"image": "acme/api"}, "docker.io/acme/api:3", "image: acme/api:3\n"),
    ("new name", "image: acme/api:1\n", {"image": "acme/api"}, {"name": "ghcr.io/a/api", "tag": "2"}, "image: ghcr.io/a/api:2\n"),
    ("tag and digest", f"image: acme/api:1@{OLD}\n", {"image": "acme/api"}, {"tag": "2", "digest": NEW}, f"image: acme/api:2@{NEW}\n"),
    ("digest alone", f"image: acme/api@{OLD}\n", {"image": "acme/api"}, {"digest": NEW}, f"image: acme/api@{NEW}\n"),
    ("same tag under a pin", f"image: acme/api:1@{OLD}\n", {"image": "acme/api"}, {"tag": "1"}, f"image: acme/api:1@{OLD}\n"),
    ("shared by an alias, allowed", "x: &i acme/api:1\nimage: *i\n", {"image": "acme/api", "allowShared": True}, {"tag": "2"}, "x: &i acme/api:2\nimage: *i\n"),
    ("empty digest pins nothing", 'image: {repository: a, tag: "1", digest: ""}\n', {"path": "$.image"}, {"tag": "2"}, 'image: {repository: a, tag: "2", digest: ""}\n'),
    ("digest inside the tag field", f'image:\n  tag: "1@{OLD}"\n', {"path": "$.image.tag"}, {"tag": "2", "digest": NEW}, f'image:\n  tag: "2@{NEW}"\n'),
    ("Argo's old=new", "images: [web=acme/web:1.0]\n", {"path": "$.images[0]"}, {"tag": "2.0"}, "images: [web=acme/web:2.0]\n"),
    ("kustomize name and tag", "images:\n- name: api\n  newTag: 1\n  newName: b\n", {"kustomize": "api"}, {"tag": "1.10", "name": "c/d"}, 'images:\n- name: api\n  newTag: "1.10"\n  newName: c/d\n'),
    ("kustomize by digest", f"kind: Kustomization\nimages:\n- name: api\n  digest: {OLD}\n", {"kustomize": "api"}, {"digest": NEW}, f"kind: Kustomization\nimages:\n- name: api\n  digest: {NEW}\n"),
    ("chart versions are no tags", "version: 1.2.0+b1\n", {"path": "$.version"}, {"tag": "1.3.0+b2"}, "version: 1.3.0+b2\n"),
    ("Flux marker", 'tag: v1 # {"$imagepolicy": "f:p:tag"}\n', {"marker": '{"$imagepolicy": "f:p:tag"}'}, "v2", 'tag: v2 # {"$imagepolicy": "f:p:tag"}\n'),
    ("marker is a whole word", "a: v1 # promote: api\nb: v1 # promote: api-web\n", {"marker": "promote: api"}, "v2", "a: v2 # promote: api\nb: v1 # promote: api-web\n"),
    ("marker on a block's head", "tag: |- # m: x\n  v1\n", {"marker": "m: x"}, "v2", "tag: |- # m: x\n  v2\n"),
    ("marker on an image", "image: acme/api:1 # m: x\n", {"marker": "m: x"}, {"tag": "2"}, "image: acme/api:2 # m: x\n"),
    ("marker in a template", "{{ if }}\ntag: v1 # m: x\n", {"marker": "m: x"}, "1.10", '{{ if }}\ntag: "1.10" # m: x\n'),
    ("marker in HCL", 'version = "1.2" # m: x\n', {"marker": "m: x"}, "1.10", 'version = "1.10" # m: x\n'),
    ("marker in .env", "TAG=v1 # m: x\nX=1\n", {"marker": "m: x"}, "v2", "TAG=v2 # m: x\nX=1\n"),
    ("regex on a plain value", "tag: v1\n", {"regex": r"tag: (?P<version>\S+)"}, "1.10", 'tag: "1.10"\n'),
    ("regex inside a block", "data: |\n  TAG=v1\n  x\n", {"regex": r"TAG=(?P<version>\S+)"}, "1.10", "data: |\n  TAG=1.10\n  x\n"),
    ("regex in a comment", "a: 1 # v1\n", {"regex": r"# (?P<version>\S+)"}, "v2", "a: 1 # v2\n"),
    ("regex in another language", "FROM acme/api:1\n", {"regex": r"api:(?P<version>\S+)"}, "1.10", "FROM acme/api:1.10\n"),
    ("embedded, CRLF", "v: |\r\n  tag: v1\r\n", {"path": "$.v", "embedded": PATH}, "v2", "v: |\r\n  tag: v2\r\n"),
    ("embedded twice", "v: |\n  w: |\n    tag: v1\n", {"path": "$.v", "embedded": {"path": "$.w", "embedded": PATH}}, "v2", "v: |\n  w: |\n    tag: v2\n"),
    ("embedded, blank lines and comments", "v: |\n  # c\n\n  image: acme/api:1 # x\n   \n  y: 1\n", {"path": "$.v", "embedded": {"image": "acme/api"}}, {"tag": "2"}, "v: |\n  # c\n\n  image: acme/api:2 # x\n   \n  y: 1\n"),
    ("SOPS with a MAC over secrets only", "tag: v1\nsops:\n  mac: ENC[x]\n  mac_only_encrypted: true\n", PATH, "v2", "tag: v2\nsops:\n  mac: ENC[x]\n  mac_only_encrypted: true\n"),
    ("YAML 1.1 directive", "%YAML 1.1\n---\ntag: v1\n", PATH, "v2", "%YAML 1.1\n---\ntag: v2\n"),
    ("NEL in another value", 'x: "a\x85b"\ntag: v1\n', PATH, "v2", 'x: "a\x85b"\ntag: v2\n'),
    ("line separator in a comment", "# c\u2028\ntag: v1\n", PATH, "v2", "# c\u2028\ntag: v2\n"),
    ("Terraform module", 'module "vpc" {\n  source  = "a/b/c"\n  version = "5.1.2" # c\n}\n', {"hcl": "/module/vpc/version"}, {"tag": "5.2.0"}, 'module "vpc" {\n  source  = "a/b/c"\n  version = "5.2.0" # c\n}\n'),
    ("HCL image", 'locals {\n  image = "acme/x:1"\n}\n', {"hcl": "/locals/image", "old": "1"}, {"tag": "2"}, 'locals {\n  image = "acme/x:2"\n}\n'),
    ("numbered HCL blocks", 'r "a" {\n  s { v = "1" }\n  s { v = "1" }\n}\n', {"hcl": "/r/a/s/1/v"}, "2", 'r "a" {\n  s { v = "1" }\n  s { v = "2" }\n}\n'),
    ("HCL already there", 'v = "1"\n', {"hcl": "/v"}, "1", 'v = "1"\n'),
    ("one line of a file in a block", "data:\n  VERSION: |\n    1.9\n", {"path": "$.data.VERSION", "embedded": {"pointer": ""}}, "v2", "data:\n  VERSION: |\n    v2\n"),
    ("folded block of one line", "tag: >- # c\r\n  v1\r\n", PATH, "a: b", "tag: >- # c\r\n  a: b\r\n"),
    ("image in a folded block", "image: >-\n  acme/api:1\n", {"image": "acme/api"}, {"tag": "2"}, "image: >-\n  acme/api:2\n"),
    ("Go drops underscores in numbers", "tag: x\n", PATH, "1e3_", 'tag: "1e3_"\n'),
    ("repository guard beside a tag", "image: {repository: acme/api, tag: v1}\n", {"path": "$.image.tag", "repository": "acme/api"}, "v2", "image: {repository: acme/api, tag: v2}\n"),
    ("repository guard from a merge key", "b: &b {repository: acme/api}\nimage:\n  <<: *b\n  tag: v1\n", {"path": "$.image", "repository": "acme/api"}, "v2", "b: &b {repository: acme/api}\nimage:\n  <<: *b\n  tag: v2\n"),
    ("new name beside a registry", "image: {registry: ghcr.io, repository: acme/api, tag: v1}\n", {"path": "$.image"}, {"name": "ghcr.io/acme/web"}, "image: {registry: ghcr.io, repository: acme/web, tag: v1}\n"),
    ("kind behind an alias", "x: &k A\nkind: *k\ntag: v1\n", {"path": "$.tag", "doc": {"kind": "A"}}, "v2", "x: &k A\nkind: *k\ntag: v2\n"),
    ("marker with its hash sign", "tag: v1 # renovate: x\n", {"marker": "# renovate: x"}, "v2", "tag: v2 # renovate: x\n"),
    ("regex at the end of a CRLF line", "A=1\r\nTAG=1\r\n", {"regex": "^TAG=(?P<version>.*)$"}, "2", "A=1\r\nTAG=2\r\n"),
    ("regex on a value in a template", "{{ if x }}\ntag: v1 # c\n{{ end }}\n", {"regex": r"tag: (?P<version>\S+)"}, "1.10", '{{ if x }}\ntag: "1.10" # c\n{{ end }}\n'),
    ("a host and its port are no image", "addr: redis:6379\nimage: redis:7\nargs: ['redis:6379']\n", {"image": "redis", "count": "all"}, {"tag": "8"}, "addr: redis:6379\nimage: redis:8\nargs: ['redis:6379']\n"),
    ("question mark in a flow collection, which Go cannot read plain", "{tag: x}\n", PATH, "a?b", '{tag: "a?b"}\n'),
    ("question mark in block style", "tag: x\n", PATH, "a?b", "tag: a?b\n"),
    ("comma behind a marked value of no YAML", "{{ x }}\nversion = v1, # m\n", {"marker": "m"}, "v2", "{{ x }}\nversion = v2, # m\n"),
    ("tag and digest that a pattern finds", f"FROM a/b:1.2@{OLD} AS x\n", {"regex": r"a/b:(?P<version>\S+)"}, {"tag": "1.3", "digest": NEW}, f"FROM a/b:1.3@{NEW} AS x\n"),
    ("tag and digest under a key that says nothing", f"x: 1.2@{OLD}\n", {"path": "$.x"}, {"tag": "1.3", "digest": NEW}, f"x: 1.3@{NEW}\n"),
    ("image and digest under a key that says nothing", f"x: nginx@{OLD}\n", {"path": "$.x"}, {"tag": "1.3", "digest": NEW}, f"x: nginx:1.3@{NEW}\n"),
    ("reference that a pattern finds", f"FROM a/b:1.2@{OLD} AS x\n", {"regex": r"FROM (?P<version>\S+)"}, {"tag": "1.3", "digest": NEW}, f"FROM a/b:1.3@{NEW} AS x\n"),
    ("item of a list in a template", "{{ if x }}\n- v1 # m: x\n{{ end }}\n", {"marker": "m: x"}, "1.10", '{{ if x }}\n- "1.10" # m: x\n{{ end }}\n'),
    ("Terragrunt ref", 'terraform {\n  source = "git::https://x/y.git//m?ref=v1&depth=1"\n}\n', {"hcl": "/terraform/source"}, "v2", 'terraform {\n  source = "git::https://x/y.git//m?ref=v2&depth=1"\n}\n'),
]  # fmt: skip

REFUSED: list[tuple[str, str | bytes, dict[str, Any], Any, str]] = [
    ("key without a colon", "{tag, x}\n", PATH, "v1", "UnsupportedScalar"),
    ("block that ends with a line break", "tag: |\n  v1\n", PATH, "v2", "UnsupportedScalar"),
    ("folded block that ends with a line break", "tag: >\n  v1\n", PATH, "v2", "UnsupportedScalar"),
    ("block of several lines", "tag: |\n  v1\n  v2\n", PATH, "v2", "UnsupportedScalar"),
    ("folded block of several lines", "tag: >-\n  v1\n  v2\n", PATH, "v2", "UnsupportedScalar"),
    ("block that begins with a blank", "tag: |2\n    v1\n", PATH, "v2", "UnsupportedScalar"),
    ("tag of one's own", "tag: !foo v1\n", PATH, "v2", "UnsupportedScalar"),
    ("quoted over two lines", 'tag: "a \\\n  b"\n', PATH, "v2", "UnsupportedScalar"),
    ("embedded in quotes", 'v: "tag: v1\\n"\n', {"path": "$.v", "embedded": PATH}, "v2", "UnsupportedScalar"),
    ("readers disagree about the lines", "tag: v1\x85b: 2\n", PATH, "v2", "UnsupportedScalar"),
    ("list", "tag: [1,2]\n", PATH, "v2", "NotAScalar"),
    ("several", "a: [1,2]\n", {"path": "$.a[*]"}, "v2", "AmbiguousMatch"),
    ("both documents have it", "tag: v1\n---\ntag: v1\n", PATH, "v2", "AmbiguousMatch"),
    ("two values on the marked line", "a: {b: v1, c: v1} # m\n", {"marker": "m"}, "v2", "AmbiguousMatch"),
    ("no such document", "tag: v1\n", {"doc": {"index": 3}, "path": "$.tag"}, "v2", "DocumentNotFound"),
    ("empty file", "", PATH, "v2", "PathNotFound"),
    ("item of an alias", "b:\n- &x {tag: v1}\n- *x\n", {"path": "$.b[1].tag"}, "v2", "ThroughAlias"),
    ("item that an alias shares", "b:\n- &x {tag: v1}\n- *x\n", {"path": "$.b[0].tag"}, "v2", "SharedAnchor"),
    ("list of merged maps", "b: &x {tag: v1}\nc: {<<: [*x], y: 1}\n", {"path": "$.c.tag"}, "v2", "ThroughMerge"),
    ("alias without anchor", "a: *x\ntag: v1\n", PATH, "v2", "ParseError"),
    ("alias inside the list it names", "a: &a [*a]\ntag: v1\n", PATH, "v2", "ParseError"),
    ("alias inside the map it names", "a: &a {b: *a}\ntag: v1\n", PATH, "v2", "ParseError"),
    ("bytes of a program", b"\x7fELF\x02\x01\x00\xff\xfe", PATH, "v2", "NotUtf8"),
    ("merge conflict", "x: 1\n<<<<<<< a\ntag: v1 # m\n=======\n>>>>>>> b\n", {"marker": "m"}, "v2", "ParseError"),
    ("deep nesting", "[" * 200_000, PATH, "v2", "ParseError"),
    ("deep block nesting", "- " * 5000 + "a", PATH, "v2", "ParseError"),
    ("too large", "tag: v1\n" + "# x\n" * 300_000, PATH, "v2", "ParseError"),
    ("not UTF-8", b"tag: \xc3\x28\n", PATH, "v2", "NotUtf8"),
    ("UTF-16", "tag: v1\n".encode("utf-16"), PATH, "v2", "NotUtf8"),
    ("embedded duplicate", "v: |\n  a: 1\n  a: 2\n", {"path": "$.v", "embedded": {"path": "$.a"}}, "v2", "DuplicateKey"),
    ("template as a value", "a: {{ .T }}\ntag: v1\n", PATH, "v2", "TemplateSyntax"),
    ("templated image", 'a: "acme/api:{{ .T }}"\n', {"image": "acme/api"}, {"tag": "2"}, "TemplateSyntax"),
    ("variable", "tag: ${TAG}\n", PATH, "v2", "TemplateSyntax"),
    ("encrypted value", "tag: ENC[x]\nsops:\n  mac: ENC[x]\n  mac_only_encrypted: true\n", PATH, "v2", "SopsEncrypted"),
    ("sealed .env", "TAG=1\nsops_mac=x\n", {"regex": r"TAG=(?P<version>\d)"}, "2", "SopsEncrypted"),
    ("blank around", "tag: x\n", PATH, " v2", "InvalidVersion"),
    ("tab", "tag: x\n", PATH, "v\t2", "InvalidVersion"),
    ("NEL", "tag: x\n", PATH, "v\x852", "InvalidVersion"),
    ("number", "tag: x\n", PATH, 1.1, "InvalidVersion"),
    ("nothing", "tag: x\n", PATH, None, "InvalidVersion"),
    ("no tag of an image", "tag: x\n", PATH, {"tag": "2 # x"}, "InvalidVersion"),
    ("short digest", "image: acme/api:1\n", {"image": "acme/api"}, {"digest": "sha256:1f"}, "InvalidVersion"),
    ("other image", "image: acme/api:1\n", {"image": "acme/api"}, "acme/web:3", "InvalidVersion"),
    ("shell in a regex's place", "TAG=1\n", {"regex": r"TAG=(?P<version>\d+)"}, "2;rm", "InvalidVersion"),
    ("interpolation in HCL", 'x = "1"\n', {"hcl": "/x"}, "${y}", "InvalidVersion"),
    ("pinned map", f"image:\n  tag: 1.9\n  digest: {OLD}\n", {"path": "$.image.tag"}, "2", "DigestWouldBeStale"),
    ("pin inside the tag field", f'image:\n  tag: "1@{OLD}"\n', {"path": "$.image.tag"}, {"tag": "2"}, "DigestWouldBeStale"),
    ("digest-only entry", f"kind: Kustomization\nimages:\n- name: api\n  digest: {OLD}\n", {"kustomize": "api"}, {"tag": "2"}, "DigestWouldBeStale"),
    ("no digest field", "kind: Kustomization\nimages:\n- name: api\n  newTag: v1\n", {"kustomize": "api"}, {"digest": NEW}, "FieldMissing"),
    ("digest from a merge key", f"b: &b {{digest: '{OLD}'}}\nimage:\n  <<: *b\n  tag: v1\n", {"path": "$.image"}, {"tag": "v2"}, "DigestWouldBeStale"),
    ("digest in the repository", f"image: {{repository: 'a@{OLD}', tag: v1}}\n", {"path": "$.image"}, {"tag": "v2"}, "DigestWouldBeStale"),
    ("tag from a merge key", "b: &b {tag: v1}\nimage:\n  <<: *b\n  repository: a\n", {"path": "$.image"}, {"tag": "v2"}, "ThroughMerge"),
    ("no digest in a digest's place", f"digest: {OLD}\n", {"path": "$.digest"}, "v2", "InvalidVersion"),
    ("bad tag of an absent image", "image: acme/web:1\n", {"image": "acme/api"}, {"tag": "a b"}, "InvalidVersion"),
    ("marked line made by a template", "{{ if }}\ntag: {{ .x }} # m: x\n", {"marker": "m: x"}, "v2", "TemplateSyntax"),
    ("regex over lines", "A: 1\nB: 2\n", {"regex": r"(?P<version>1\nB)"}, "2", "UnsupportedScalar"),
    ("encrypted without its metadata", "tag: ENC[AES256_GCM,data:x]\n", PATH, "v2", "SopsEncrypted"),
    ("stale", "tag: v1\n", {"path": "$.tag", "old": "v0"}, "v2", "StaleValue"),
    ("stale digest", f"image: acme/api:1@{OLD}\n", {"image": "acme/api", "old": {"digest": NEW}}, {"tag": "2"}, "StaleValue"),
    ("unknown key", "tag: v1\n", {"path": "$.tag", "x": 1}, "v2", "BadAddress"),
    ("two forms", "tag: v1\n", {"path": "$.tag", "pointer": "/tag"}, "v2", "BadAddress"),
    ("broken path", "tag: v1\n", {"path": "$['ta"}, "v2", "BadAddress"),
    ("no repository", "tag: v1\n", {"image": "A B"}, "v2", "BadAddress"),
    ("regex without a version", "tag: v1\n", {"regex": "tag"}, "v2", "BadAddress"),
    ("negative document", "tag: v1\n", {"doc": {"index": -1}, "path": "$.tag"}, "v2", "BadAddress"),
    ("stale HCL", 'x = "1"\n', {"hcl": "/x", "old": "3"}, "2", "StaleValue"),
    ("ERB", "tag: <%= x %>\n", PATH, "v2", "TemplateSyntax"),
    ("Jinja block", "{% if x %}\ntag: v1\n{% endif %}\n", PATH, "v2", "TemplateSyntax"),
    ("variable without braces", "image: acme/api:$TAG\n", {"image": "acme/api"}, {"tag": "2"}, "TemplateSyntax"),
    ("variable as the whole value", "tag: $(VERSION)\n", PATH, "v2", "TemplateSyntax"),
    ("kustomize entry with a name alone", "kind: Kustomization\nimages:\n- name: api\n", {"kustomize": "api"}, {"tag": "v2"}, "FieldMissing"),
    ("kustomize entry without a tag, text", "kind: Kustomization\nimages:\n- name: api\n  newName: b\n", {"kustomize": "api"}, "v2", "FieldMissing"),
    ("parts for a map without any", "image:\n  x: 1\n", {"path": "$.image"}, {"tag": "v2"}, "FieldMissing"),
    ("text for an image map without a tag", "image:\n  repository: a\n", {"path": "$.image"}, "v2", "FieldMissing"),
    ("broken HCL", 'x = "1\n', {"hcl": "/x"}, "2", "ParseError"),
    ("no such HCL path", 'x = "1"\n', {"hcl": "/y"}, "2", "PathNotFound"),
    ("module's source without a reference", 'source = "git::https://x/m.git"\n', {"hcl": "/source"}, {"tag": "v2"}, "FieldMissing"),
    ("local module", 'source = "./m"\n', {"hcl": "/source"}, "v2", "FieldMissing"),
    ("HCL of a variable", "x = var.y\n", {"hcl": "/x"}, "2", "TemplateSyntax"),
    ("a tag under a digest that a pattern finds", f"FROM a/b:1.2@{OLD} AS x\n", {"regex": r"a/b:(?P<version>\S+)"}, {"tag": "1.3"}, "DigestWouldBeStale"),
    ("key twice, once by an alias", "? &k a\n: v1\n*k : v2\n", {"path": "$.a"}, "v3", "DuplicateKey"),
    ("a quoted merge key is a key like others", "'<<': {tag: v1}\n", PATH, "v2", "PathNotFound"),
    ("a tag for no image", "image:\n", {"path": "$.image"}, {"tag": "v2"}, "FieldMissing"),
    ("HCL nested too deeply", "a = " + "[" * 5000 + "]" * 5000, {"hcl": "/a"}, "2", "ParseError"),
    ("HCL of other values", 'x = "${var.y}"\n', {"hcl": "/x"}, "2", "TemplateSyntax"),
]  # fmt: skip


@pytest.mark.parametrize(("content", "address", "new", "expected"), [row[1:] for row in EDITED], ids=[row[0] for row in EDITED])
def test_edited(content: str, address: dict[str, Any], new: Any, expected: str) -> None:
    assert edit(content.encode(), address, new).decode() == expected


@pytest.mark.parametrize(("content", "address", "new", "code"), [row[1:] for row in REFUSED], ids=[row[0] for row in REFUSED])
def test_refused(content: str | bytes, address: dict[str, Any], new: Any, code: str) -> None:
    with pytest.raises(EditRefused) as caught:
        edit(content.encode() if isinstance(content, str) else content, address, new)
    assert caught.value.code == code, caught.value
    assert caught.value.message
    assert caught.value.fix
    assert caught.value.line >= 1


@pytest.mark.parametrize(
    "content",
    [
        "{{x}}\na: b" + " " * 100_000 + "b # m\n",
        "a: '" + "m" * 500_000 + "'\ntag: v1 # m\n",
        "".join(f"a{n}: 'm # m'\n" for n in range(20_000)) + "tag: v1 # m\n",
    ],
    ids=["blanks", "one long line", "many strings"],
)
def test_a_marker_is_sought_in_linear_time(content: str) -> None:
    started = time.process_time()
    with suppress(EditRefused):
        edit(content.encode(), {"marker": "m"}, "v2")
    assert time.process_time() - started < 5


def test_alias_bomb() -> None:
    rows = ["a: &a [x, x]"]
    rows += [f"{name}: &{name} [{', '.join([f'*{before}'] * 9)}]" for before, name in zip("abcdefg", "bcdefgh", strict=True)]
    with pytest.raises(EditRefused, match="expand"):
        edit("\n".join([*rows, "tag: v1\n"]).encode(), PATH, "v2")


def test_merge_bomb() -> None:
    rows = ["a: &a {k: x}"]
    rows += [f"{name}: &{name} {{<<: [{', '.join([f'*{before}'] * 9)}]}}" for before, name in zip("abcdefg", "bcdefgh", strict=True)]
    with pytest.raises(EditRefused, match="expand"):
        edit("\n".join([*rows, "tag: v1\n"]).encode(), PATH, "v2")


def test_the_line_of_a_refusal_in_an_embedded_text_counts_in_the_outer_file() -> None:
    with pytest.raises(EditRefused) as caught:
        edit(b"a: 1\nv: |\n  x: 1\n  tag: *y\n", {"path": "$.v", "embedded": PATH}, "v2")
    assert caught.value.line == 4


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("a: 1\ntag: v1\nb: 2\ntag: v2\n", "lines 2 and 4"),
        ('{"e": "\\ud83d\\ude80",\n "tag": "v1",\n\n "tag": "v2"}', "lines 2 and 4"),
        ("tag: |\n  v1\n", "`|-`"),
        ("tag: >\n  v1\n", "line break"),
    ],
    ids=["both lines of a key", "both lines in JSON", "the sign that would help", "folded"],
)
def test_a_refusal_says_where_and_what_would_help(content: str, told: str) -> None:
    with pytest.raises(EditRefused) as caught:
        edit(content.encode(), PATH, "v3")
    assert told in caught.value.message
