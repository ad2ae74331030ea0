/* config.h: the edge's configuration: one YAML file over the defaults of config.def, environment
 * variables over the file. Checked as a whole before anything happens; immutable afterwards. */
#ifndef CAIRN_EDGE_CONFIG_H
#define CAIRN_EDGE_CONFIG_H

#include <sys/socket.h>

#include "base/memory.h"

enum {
    CAIRN__CONFIG_FILE_BYTES_MAX = 1024 * 1024,
    CAIRN__CONFIG_PROJECTS_MAX = 256,
    CAIRN__CONFIG_PROJECT_NAME_BYTES_MAX = 64,
    CAIRN__CONFIG_KEY_BYTES_MAX = 64 /* a write key */
};

typedef struct cairn__project_config {
    const char *name;        /* a-z, 0-9, '-' and '_'; names a folder of the data directory */
    const char *write_key;   /* 8..64 bytes; says which project data is for */
    const char *timezone;    /* IANA name; where a question names none */
    const char *signing_key; /* a PEM file; empty: made in the data directory */
} cairn__project_config;

#define CAIRN_TEXT(name, otherwise, reload, doc) const char *name;
#define CAIRN_NUMBER(name, unit, otherwise, least, most, reload, doc) int64_t name;
/** Everything lives in the arena. */
typedef struct cairn__config {
    cairn__arena arena;
#include "edge/config.def"
    const cairn__project_config *projects;
    size_t project_count;
} cairn__config;
#undef CAIRN_TEXT
#undef CAIRN_NUMBER

/** Why a configuration is refused: "FILE:LINE: what: fix". */
typedef struct cairn__config_problem {
    char text[512];
} cairn__config_problem;

/** Where a value of the environment comes from; NULL: not set. */
typedef const char *(*cairn__config_environment)(void *self, const char *name);

/**
 * Read a configuration.
 *
 * @param name         The file's name, for problems.
 * @param yaml         Its bytes.
 * @param environment  Looks a variable up; may be NULL.
 * @retval CAIRN_OK         Free it with cairn__config_free.
 * @retval CAIRN_INVALID    problem_out.
 * @retval CAIRN_NO_MEMORY  problem_out.
 */
cairn_status cairn__config_read(const char *name, cairn_span yaml,
                                cairn__config_environment environment, cairn__config *config_out,
                                cairn__config_problem *problem_out);
/** The same from a file. CAIRN_NOT_FOUND: it cannot be read; problem_out. */
cairn_status cairn__config_load(const char *path, cairn__config_environment environment,
                                cairn__config *config_out, cairn__config_problem *problem_out);
void cairn__config_free(cairn__config *config);

/** What a reload may not change stays as it is: the name of the first such key that differs, or
 * NULL. The set of projects and their names is one of them. */
const char *cairn__config_fixed_difference(const cairn__config *now, const cairn__config *next);

/** "127.0.0.1:8080" or "[::1]:8080"; false when it is neither. */
bool cairn__config_address(const char *text, struct sockaddr_storage *address_out);
bool cairn__config_is_loopback(const struct sockaddr_storage *address);

/** docs/CONFIG.md, whole. */
void cairn__config_docs(cairn__buffer *to);

#endif
