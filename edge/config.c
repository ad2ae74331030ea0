#include "edge/config.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

#include "base/assert.h"
#include "base/bytes.h"

enum { ARENA_BYTES_MAX = 4 * 1024 * 1024, KEY_DISTANCE_MAX = 3, WORD_BYTES_MAX = 64 };

typedef enum value_unit { UNIT_TEXT, UNIT_BYTES, UNIT_MS, UNIT_COUNT } value_unit;

typedef struct config_key {
    const char *name;
    size_t offset; /* in cairn__config */
    const char *text;
    int64_t number, least, most;
    value_unit unit;
    bool reload;
} config_key;

#define SLOT(name) offsetof(cairn__config, name)
#define CAIRN_TEXT(name, otherwise, reload, doc)                                                   \
    { #name, SLOT(name), otherwise, 0, 0, 0, UNIT_TEXT, reload },
#define CAIRN_NUMBER(name, unit, otherwise, least, most, reload, doc)                              \
    { #name, SLOT(name), NULL, otherwise, least, most, UNIT_##unit, reload },
static const config_key keys[] = {
#include "edge/config.def"
};
#undef CAIRN_TEXT
#undef CAIRN_NUMBER
enum { KEY_COUNT = sizeof keys / sizeof keys[0] };

static const char *const project_keys[] = { "name", "write_key", "timezone", "signing_key" };

typedef struct reading {
    const char *name;
    yaml_document_t document;
    cairn__config *config;
    cairn__config_problem *problem;
    size_t line;       /* of the value that is looked at; 0: the environment */
    const char *where; /* the environment variable's name, when line is 0 */
} reading;

static bool refuse(reading *r, const char *what, const char *value, const char *fix) {
    if (r->line != 0) {
        (void)snprintf(r->problem->text, sizeof r->problem->text, "%s:%zu: %s%s%.80s%s: %s",
                       r->name, r->line, what, value == NULL ? "" : " '", value ? value : "",
                       value == NULL ? "" : "'", fix);
    } else {
        (void)snprintf(r->problem->text, sizeof r->problem->text, "%s: %s%s%.80s%s: %s", r->where,
                       what, value == NULL ? "" : " '", value ? value : "",
                       value == NULL ? "" : "'", fix);
    }
    return false;
}

static const char *keep(reading *r, const char *text, size_t len) {
    char *at = cairn__arena_alloc(&r->config->arena, len + 1);
    if (at == NULL) {
        (void)refuse(r, "no memory", NULL, "make the file smaller");
        return NULL;
    }
    memcpy(at, text, len);
    at[len] = 0;
    return at;
}

/* --- values ----------------------------------------------------------------------------------- */

static int64_t multiplier(value_unit unit, const char *suffix) {
    static const struct {
        unsigned char unit;
        const char *suffix;
        int64_t factor;
    } suffixes[] = {
        { UNIT_BYTES, "KiB", 1024 },
        { UNIT_BYTES, "MiB", 1048576 },
        { UNIT_BYTES, "GiB", 1073741824 },
        { UNIT_BYTES, "TiB", 1099511627776 },
        { UNIT_MS, "ms", 1 },
        { UNIT_MS, "s", 1000 },
        { UNIT_MS, "min", 60000 },
    };
    if (*suffix == 0) {
        return 1;
    }
    for (size_t i = 0; i < sizeof suffixes / sizeof suffixes[0]; i++) {
        if (suffixes[i].unit == unit && strcmp(suffixes[i].suffix, suffix) == 0) {
            return suffixes[i].factor;
        }
    }
    return 0;
}

static bool read_number(const config_key *key, const char *text, int64_t *number_out) {
    char *end = NULL;
    errno = 0;
    long long number = strtoll(text, &end, 10);
    if (end == text || errno != 0 || number < 0 || text[0] < '0' || text[0] > '9') {
        return false;
    }
    while (*end == ' ') {
        end++;
    }
    int64_t factor = multiplier(key->unit, end);
    if (factor == 0 || number > INT64_MAX / factor) {
        return false;
    }
    *number_out = number * factor;
    return *number_out >= key->least && *number_out <= key->most;
}

static bool set_value(reading *r, const config_key *key, const char *text, size_t len) {
    uint8_t *slot = (uint8_t *)r->config + key->offset;
    if (memchr(text, 0, len) != NULL) {
        return refuse(r, key->name, NULL, "remove the NUL byte");
    }
    if (key->unit == UNIT_TEXT) {
        const char *kept = keep(r, text, len);
        memcpy(slot, &kept, sizeof kept);
        return kept != NULL;
    }
    int64_t number = 0;
    if (!read_number(key, text, &number)) {
        char fix[128];
        (void)snprintf(fix, sizeof fix, "write a number from %lld to %lld%s", (long long)key->least,
                       (long long)key->most,
                       key->unit == UNIT_BYTES ? " (bytes, or with KiB, MiB, GiB)"
                       : key->unit == UNIT_MS  ? " (ms, or with s, min)"
                                               : "");
        char what[96];
        (void)snprintf(what, sizeof what, "%s is", key->name);
        return refuse(r, what, text, fix);
    }
    memcpy(slot, &number, sizeof number);
    return true;
}

static void set_defaults(cairn__config *config) {
    for (size_t i = 0; i < KEY_COUNT; i++) {
        uint8_t *slot = (uint8_t *)config + keys[i].offset;
        if (keys[i].unit == UNIT_TEXT) {
            memcpy(slot, &keys[i].text, sizeof keys[i].text);
        } else {
            memcpy(slot, &keys[i].number, sizeof keys[i].number);
        }
    }
}

/* --- the file --------------------------------------------------------------------------------- */

/* Edit distance of two short words. */
static size_t distance(const char *a, const char *b) {
    size_t row[WORD_BYTES_MAX + 1];
    size_t a_len = strlen(a), b_len = strlen(b);
    if (a_len > WORD_BYTES_MAX || b_len > WORD_BYTES_MAX) {
        return SIZE_MAX;
    }
    for (size_t j = 0; j <= b_len; j++) {
        row[j] = j;
    }
    for (size_t i = 1; i <= a_len; i++) {
        size_t diagonal = row[0];
        row[0] = i;
        for (size_t j = 1; j <= b_len; j++) {
            size_t best = diagonal + (a[i - 1] != b[j - 1]);
            best = row[j] + 1 < best ? row[j] + 1 : best;
            best = row[j - 1] + 1 < best ? row[j - 1] + 1 : best;
            diagonal = row[j];
            row[j] = best;
        }
    }
    return row[b_len];
}

static void consider(const char *word, const char *candidate, size_t *best, const char **nearest) {
    size_t steps = distance(word, candidate);
    if (steps < *best) {
        *best = steps;
        *nearest = candidate;
    }
}

static bool unknown_key(reading *r, const char *name, bool of_project) {
    size_t best = SIZE_MAX;
    const char *nearest = NULL;
    char fix[128];
    for (size_t i = 0; !of_project && i < KEY_COUNT; i++) {
        consider(name, keys[i].name, &best, &nearest);
    }
    for (size_t i = 0; of_project && i < sizeof project_keys / sizeof project_keys[0]; i++) {
        consider(name, project_keys[i], &best, &nearest);
    }
    if (!of_project) {
        consider(name, "projects", &best, &nearest);
    }
    if (nearest != NULL && best <= KEY_DISTANCE_MAX) {
        (void)snprintf(fix, sizeof fix, "did you mean '%s'?", nearest);
    } else {
        (void)snprintf(fix, sizeof fix, "see docs/CONFIG.md for the keys there are");
    }
    return refuse(r, of_project ? "unknown key of a project" : "unknown key", name, fix);
}

static const yaml_node_t *node_at(reading *r, int index) {
    const yaml_node_t *node = yaml_document_get_node(&r->document, index);
    if (node != NULL) {
        r->line = node->start_mark.line + 1;
    }
    return node;
}

/* The text of a plain or quoted scalar, NUL-terminated by libyaml; NULL and a problem otherwise. */
static const char *scalar_at(reading *r, int index, size_t *len_out) {
    const yaml_node_t *node = node_at(r, index);
    if (node == NULL || node->type != YAML_SCALAR_NODE) {
        (void)refuse(r, "a single value belongs here", NULL, "write KEY: VALUE");
        return NULL;
    }
    *len_out = node->data.scalar.length;
    return (const char *)node->data.scalar.value;
}

static bool is_repeated(reading *r, const yaml_node_t *mapping, const yaml_node_pair_t *pair,
                        const char *name) {
    for (const yaml_node_pair_t *other = mapping->data.mapping.pairs.start; other < pair; other++) {
        const yaml_node_t *node = yaml_document_get_node(&r->document, other->key);
        if (node != NULL && node->type == YAML_SCALAR_NODE &&
            strcmp((const char *)node->data.scalar.value, name) == 0) {
            return true;
        }
    }
    return false;
}

static bool read_project_pair(reading *r, const yaml_node_pair_t *pair,
                              cairn__project_config *project) {
    size_t len = 0;
    const char *name = scalar_at(r, pair->key, &len);
    if (name == NULL) {
        return false;
    }
    const char **slot = NULL;
    if (strcmp(name, "name") == 0) {
        slot = &project->name;
    } else if (strcmp(name, "write_key") == 0) {
        slot = &project->write_key;
    } else if (strcmp(name, "timezone") == 0) {
        slot = &project->timezone;
    } else if (strcmp(name, "signing_key") == 0) {
        slot = &project->signing_key;
    } else {
        return unknown_key(r, name, true);
    }
    const char *value = scalar_at(r, pair->value, &len);
    *slot = value == NULL ? NULL : keep(r, value, len);
    return *slot != NULL;
}

static bool good_word(const char *text, const char *more) {
    for (; *text != 0; text++) {
        bool plain = (*text >= 'a' && *text <= 'z') || (*text >= '0' && *text <= '9');
        if (!plain && strchr(more, *text) == NULL) {
            return false;
        }
    }
    return true;
}

static bool check_project(reading *r, const cairn__project_config *project) {
    size_t name_len = project->name == NULL ? 0 : strlen(project->name);
    size_t key_len = project->write_key == NULL ? 0 : strlen(project->write_key);
    if (name_len == 0 || name_len > CAIRN__CONFIG_PROJECT_NAME_BYTES_MAX ||
        !good_word(project->name, "-_")) {
        return refuse(r, "a project's name is", project->name == NULL ? "" : project->name,
                      "write 1 to 64 of a-z, 0-9, - and _");
    }
    if (key_len < 8 || key_len > CAIRN__CONFIG_KEY_BYTES_MAX ||
        !good_word(project->write_key, "-_.ABCDEFGHIJKLMNOPQRSTUVWXYZ")) {
        return refuse(r, "the write_key is too short, too long or not plain in project",
                      project->name, "write 8 to 64 letters, digits, -, _ and .");
    }
    for (size_t i = 0; i < r->config->project_count; i++) {
        const cairn__project_config *other = &r->config->projects[i];
        if (strcmp(other->name, project->name) == 0) {
            return refuse(r, "two projects are called", project->name, "rename one");
        }
        if (strcmp(other->write_key, project->write_key) == 0) {
            return refuse(r, "two projects have one write_key:", project->name,
                          "give each its own");
        }
    }
    return true;
}

static bool read_project(reading *r, int index, cairn__project_config *project) {
    const yaml_node_t *node = node_at(r, index);
    size_t line = r->line;
    if (node == NULL || node->type != YAML_MAPPING_NODE) {
        return refuse(r, "a project is not a mapping", NULL,
                      "write - name: ... and write_key: ...");
    }
    *project = (cairn__project_config){ .timezone = "UTC", .signing_key = "" };
    const yaml_node_pair_t *pair = node->data.mapping.pairs.start;
    for (; pair < node->data.mapping.pairs.top; pair++) {
        if (!read_project_pair(r, pair, project)) {
            return false;
        }
    }
    r->line = line;
    return check_project(r, project);
}

static bool read_projects(reading *r, int index) {
    const yaml_node_t *node = node_at(r, index);
    if (node == NULL || node->type != YAML_SEQUENCE_NODE) {
        return refuse(r, "projects is not a list", NULL, "write one '- name: ...' per project");
    }
    size_t count = (size_t)(node->data.sequence.items.top - node->data.sequence.items.start);
    if (count > CAIRN__CONFIG_PROJECTS_MAX) {
        return refuse(r, "too many projects", NULL, "write at most 256");
    }
    cairn__project_config *projects =
        cairn__arena_alloc_zero(&r->config->arena, count + 1, sizeof *projects);
    if (projects == NULL) {
        return refuse(r, "no memory", NULL, "make the file smaller");
    }
    r->config->projects = projects;
    for (size_t i = 0; i < count; i++) {
        if (!read_project(r, node->data.sequence.items.start[i], &projects[i])) {
            return false;
        }
        r->config->project_count = i + 1;
    }
    return true;
}

static bool read_pair(reading *r, const yaml_node_t *root, const yaml_node_pair_t *pair) {
    size_t len = 0;
    const char *name = scalar_at(r, pair->key, &len);
    if (name == NULL) {
        return false;
    }
    if (is_repeated(r, root, pair, name)) {
        return refuse(r, "a key comes twice:", name, "keep one of them");
    }
    if (strcmp(name, "projects") == 0) {
        return read_projects(r, pair->value);
    }
    for (size_t i = 0; i < KEY_COUNT; i++) {
        if (strcmp(name, keys[i].name) == 0) {
            const char *value = scalar_at(r, pair->value, &len);
            return value != NULL && set_value(r, &keys[i], value, len);
        }
    }
    return unknown_key(r, name, false);
}

static bool read_document(reading *r) {
    const yaml_node_t *root = yaml_document_get_root_node(&r->document);
    r->line = 1;
    if (root == NULL) {
        return true; /* an empty file: all is said by the environment, or is missing */
    }
    if (root->type != YAML_MAPPING_NODE) {
        return refuse(r, "the file is not a list of keys", NULL, "write KEY: VALUE on each line");
    }
    const yaml_node_pair_t *pair = root->data.mapping.pairs.start;
    for (; pair < root->data.mapping.pairs.top; pair++) {
        if (!read_pair(r, root, pair)) {
            return false;
        }
    }
    return true;
}

static bool read_yaml(reading *r, cairn_span yaml) {
    yaml_parser_t parser;
    if (yaml_parser_initialize(&parser) == 0) {
        return refuse(r, "no memory", NULL, "give the process more");
    }
    yaml_parser_set_encoding(&parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&parser, yaml.data, yaml.len);
    bool good = yaml_parser_load(&parser, &r->document) != 0;
    if (good) {
        good = read_document(r);
        yaml_document_delete(&r->document);
    } else {
        r->line = parser.problem_mark.line + 1;
        (void)refuse(r, parser.problem == NULL ? "this is not YAML" : parser.problem, NULL,
                     "correct the YAML");
    }
    yaml_parser_delete(&parser);
    return good;
}

/* --- the environment and the whole ------------------------------------------------------------ */

static bool read_variable(reading *r, const config_key *key,
                          cairn__config_environment environment) {
    char name[WORD_BYTES_MAX];
    int len = snprintf(name, sizeof name, "CAIRN_%s", key->name);
    CAIRN_ASSERT(len > 0 && len < (int)sizeof name);
    for (char *at = name; *at != 0; at++) {
        *at = *at >= 'a' && *at <= 'z' ? (char)(*at - 'a' + 'A') : *at;
    }
    const char *value = environment(NULL, name);
    r->where = name;
    bool good = value == NULL || set_value(r, key, value, strlen(value));
    r->where = r->name;
    return good;
}

static bool read_environment(reading *r, cairn__config_environment environment) {
    r->line = 0;
    for (size_t i = 0; environment != NULL && i < KEY_COUNT; i++) {
        if (!read_variable(r, &keys[i], environment)) {
            return false;
        }
    }
    return true;
}

bool cairn__config_address(const char *text, struct sockaddr_storage *address_out) {
    char host[64];
    const char *colon = strrchr(text, ':');
    if (colon == NULL || colon[1] < '0' || colon[1] > '9') {
        return false;
    }
    char *end = NULL;
    long port = strtol(colon + 1, &end, 10);
    size_t len = (size_t)(colon - text);
    bool six = len > 2 && text[0] == '[' && text[len - 1] == ']';
    text += six;
    len -= six ? 2 : 0;
    if (*end != 0 || port > 65535 || len >= sizeof host) {
        return false;
    }
    memcpy(host, text, len);
    host[len] = 0;
    memset(address_out, 0, sizeof *address_out);
    struct sockaddr_in *four = (struct sockaddr_in *)address_out;
    struct sockaddr_in6 *other = (struct sockaddr_in6 *)address_out;
    if (six) {
        other->sin6_family = AF_INET6;
        other->sin6_port = htons((uint16_t)port);
        return inet_pton(AF_INET6, host, &other->sin6_addr) == 1;
    }
    four->sin_family = AF_INET;
    four->sin_port = htons((uint16_t)port);
    return inet_pton(AF_INET, host, &four->sin_addr) == 1;
}

bool cairn__config_is_loopback(const struct sockaddr_storage *address) {
    if (address->ss_family == AF_INET6) {
        const struct sockaddr_in6 *six = (const struct sockaddr_in6 *)address;
        return memcmp(&six->sin6_addr, &in6addr_loopback, sizeof in6addr_loopback) == 0;
    }
    const struct sockaddr_in *four = (const struct sockaddr_in *)address;
    return (ntohl(four->sin_addr.s_addr) >> 24) == 127;
}

static bool check_whole(reading *r) {
    const cairn__config *config = r->config;
    struct sockaddr_storage address;
    r->line = 0;
    r->where = r->name;
    if (config->data_dir[0] == 0) {
        return refuse(r, "data_dir is missing", NULL, "name the folder that keeps everything");
    }
    if (config->project_count == 0) {
        return refuse(r, "there is no project", NULL,
                      "write projects: and below it - name: ... with a write_key");
    }
    if (!cairn__config_address(config->public_listen, &address)) {
        return refuse(r, "public_listen is", config->public_listen,
                      "write ADDRESS:PORT, for example 127.0.0.1:8080 or [::1]:8080");
    }
    if (!cairn__config_address(config->admin_listen, &address)) {
        return refuse(r, "admin_listen is", config->admin_listen,
                      "write ADDRESS:PORT, for example 127.0.0.1:8081 or [::1]:8081");
    }
    size_t token = strlen(config->admin_token);
    if (!cairn__config_is_loopback(&address) && token == 0) {
        return refuse(r, "admin_listen is not a loopback address:", config->admin_listen,
                      "set admin_token, or listen on 127.0.0.1");
    }
    if (token != 0 && token < 16) {
        return refuse(r, "admin_token is too short", NULL, "write at least 16 random characters");
    }
    if (strpbrk(config->cors_origin, "\r\n") != NULL) {
        return refuse(r, "cors_origin has a line end", NULL, "write * or one origin");
    }
    return config->inflight_bytes_hard >= config->inflight_bytes_soft ||
           refuse(r, "inflight_bytes_hard is less than inflight_bytes_soft", NULL,
                  "make the hard limit the larger one");
}

cairn_status cairn__config_read(const char *name, cairn_span yaml,
                                cairn__config_environment environment, cairn__config *config_out,
                                cairn__config_problem *problem_out) {
    memset(config_out, 0, sizeof *config_out);
    config_out->arena = cairn__arena_make(cairn__heap(), ARENA_BYTES_MAX);
    problem_out->text[0] = 0;
    set_defaults(config_out);
    reading r = { .name = name, .config = config_out, .problem = problem_out, .line = 1 };
    if (!read_yaml(&r, yaml) || !read_environment(&r, environment) || !check_whole(&r)) {
        cairn__config_free(config_out);
        return CAIRN_INVALID;
    }
    return CAIRN_OK;
}

cairn_status cairn__config_load(const char *path, cairn__config_environment environment,
                                cairn__config *config_out, cairn__config_problem *problem_out) {
    FILE *file = fopen(path, "rb");
    uint8_t *bytes = malloc(CAIRN__CONFIG_FILE_BYTES_MAX);
    cairn_status status = CAIRN_NOT_FOUND;
    if (file == NULL || bytes == NULL) {
        (void)snprintf(problem_out->text, sizeof problem_out->text,
                       "%s: cannot be read (%s): check the path", path, strerror(errno));
    } else {
        size_t len = fread(bytes, 1, CAIRN__CONFIG_FILE_BYTES_MAX, file);
        if (ferror(file) != 0 || len == CAIRN__CONFIG_FILE_BYTES_MAX) {
            (void)snprintf(problem_out->text, sizeof problem_out->text,
                           "%s: cannot be read, or is larger than 1 MiB: check the path", path);
        } else {
            status = cairn__config_read(path, cairn__span(bytes, len), environment, config_out,
                                        problem_out);
        }
    }
    if (file != NULL) {
        (void)fclose(file);
    }
    free(bytes);
    return status;
}

void cairn__config_free(cairn__config *config) {
    cairn__arena_free(&config->arena);
}

static bool is_same(const config_key *key, const cairn__config *now, const cairn__config *next) {
    const uint8_t *a = (const uint8_t *)now + key->offset;
    const uint8_t *b = (const uint8_t *)next + key->offset;
    if (key->unit != UNIT_TEXT) {
        return memcmp(a, b, sizeof(int64_t)) == 0;
    }
    const char *a_text = NULL;
    const char *b_text = NULL;
    memcpy(&a_text, a, sizeof a_text);
    memcpy(&b_text, b, sizeof b_text);
    return strcmp(a_text, b_text) == 0;
}

const char *cairn__config_fixed_difference(const cairn__config *now, const cairn__config *next) {
    for (size_t i = 0; i < KEY_COUNT; i++) {
        if (!keys[i].reload && !is_same(&keys[i], now, next)) {
            return keys[i].name;
        }
    }
    bool same = now->project_count == next->project_count;
    for (size_t i = 0; same && i < now->project_count; i++) {
        same = strcmp(now->projects[i].name, next->projects[i].name) == 0 &&
               strcmp(now->projects[i].signing_key, next->projects[i].signing_key) == 0;
    }
    return same ? NULL : "projects";
}
