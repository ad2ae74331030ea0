/* config_docs.c: docs/CONFIG.md out of config.def. A test compares it with the file. */
#include "edge/config.h"

typedef struct line {
    const char *name, *otherwise, *bounds, *reload, *doc;
} line;

#define STRING(x) #x
#define YES_true "yes"
#define YES_false "no"
#define CAIRN_TEXT(name, otherwise, reload, doc) { #name, otherwise, "text", YES_##reload, doc },
#define CAIRN_NUMBER(name, unit, otherwise, least, most, reload, doc)                              \
    { #name, STRING(otherwise), #unit " " #least ".." #most, YES_##reload, doc },
static const line lines[] = {
#include "edge/config.def"
};

static const char before[] =
    "# Configuration of cairn-edge\n\n"
    "One YAML file: `cairn-edge --config edge.yaml`. Each key can be given by the environment, "
    "too:\n"
    "`CAIRN_` and the key in capitals (`CAIRN_DATA_DIR`); the environment wins. Sizes take `KiB`,\n"
    "`MiB`, `GiB`, `TiB`; times take `ms`, `s`, `min`. An unknown key, a wrong value or a key "
    "that\n"
    "comes twice is refused with its line. `--check` says whether a file is good (exit 0) or not\n"
    "(exit 78). SIGHUP reads the file again and takes over the keys marked *reload*; when the "
    "file\n"
    "is bad or changes another key, everything stays as it was, and the log says why.\n\n"
    "This page is written by `cairn-edge --print-config-docs` from `edge/config.def`.\n\n"
    "| key | default | unit and bounds | reload | meaning |\n|---|---|---|---|---|\n";

static const char after[] =
    "\n## projects\n\nA list; at least one. A project is one tenant: its keys, its zone, its "
    "data.\n\n"
    "| key | default | bounds | reload | meaning |\n|---|---|---|---|---|\n"
    "| `name` | | 1..64 of a-z, 0-9, `-`, `_` | no | Names the folder of its data. |\n"
    "| `write_key` | | 8..64 letters, digits, `-`, `_`, `.` | yes | Public: may send data. |\n"
    "| `timezone` | `UTC` | IANA name | yes | Used where a question names no zone, and by "
    "decisions "
    "where the settings name none (there from the next start on). |\n"
    "| `signing_key` | | file name | no | P-256 private key (PEM) that signs bundles. Empty: "
    "`data_dir/keys/NAME.pem`, made at the first start. |\n\n"
    "```yaml\ndata_dir: /var/lib/cairn\nprojects:\n  - name: shop\n    write_key: shop-web-1f9c2a\n"
    "    timezone: Asia/Shanghai\n```\n";

void cairn__config_docs(cairn__buffer *to) {
    cairn__buffer_format(to, "%s", before);
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        const char *mark = lines[i].otherwise[0] == 0 ? "" : "`";
        cairn__buffer_format(to, "| `%s` | %s%s%s | %s | %s | %s |\n", lines[i].name, mark,
                             lines[i].otherwise, mark, lines[i].bounds, lines[i].reload,
                             lines[i].doc);
    }
    cairn__buffer_format(to, "%s", after);
}
