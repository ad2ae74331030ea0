#include "edge/ready.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "bundle/read.h"
#include "edge/logline.h"

/* --- references: the loop --------------------------------------------------------------------- */

static void free_ready(cairn__ready *ready) {
    while (ready->spare != NULL) {
        cairn__ready_decider *next = ready->spare->next;
        cairn__arena_free(&ready->spare->arena);
        free(ready->spare);
        ready->spare = next;
    }
    cairn__arena_free(&ready->arena);
    cairn__buffer_free(&ready->bytes);
    uv_mutex_destroy(&ready->mutex);
    free(ready);
}

void cairn__ready_release(cairn__ready *ready) {
    if (ready == NULL) {
        return;
    }
    ready->references -= 1;
    if (ready->references == 0) {
        free_ready(ready);
    }
}

static cairn__ready *make(const cairn__definitions_project *project,
                          const cairn__project_config *config) {
    cairn_span signed_bundle = cairn__served_signed(project->served);
    cairn__ready *ready = calloc(1, sizeof *ready);
    if (ready == NULL || uv_mutex_init(&ready->mutex) != 0) {
        free(ready);
        return NULL;
    }
    ready->references = 1;
    ready->version = project->served->version;
    ready->bytes = cairn__buffer_make(cairn__heap(), CAIRN__SERVED_BYTES_MAX);
    ready->arena = cairn__arena_make(cairn__heap(), (size_t)2 * CAIRN__BUNDLE_ARENA_BYTES_MAX);
    cairn__buffer_append(&ready->bytes, signed_bundle);
    (void)snprintf(ready->project, sizeof ready->project, "%s", config->write_key);
    (void)snprintf(ready->key_id, sizeof ready->key_id, "%s", project->signing.id);
    memcpy(ready->key, project->signing.key.public_key, sizeof ready->key);
    if (ready->bytes.failed) {
        free_ready(ready);
        return NULL;
    }
    return ready;
}

cairn__ready *cairn__ready_take(const cairn__definitions_project *project,
                                const cairn__project_config *config, cairn__ready **held) {
    uint64_t version = project->served->version;
    if (version == 0) {
        return NULL;
    }
    if (*held == NULL || (*held)->version != version) {
        cairn__ready *fresh = make(project, config);
        if (fresh == NULL) {
            return NULL;
        }
        cairn__ready_release(*held);
        *held = fresh;
    }
    (*held)->references += 1;
    return *held;
}

/* --- reading: the pool ------------------------------------------------------------------------ */

static cairn_status read_locked(cairn__ready *ready) {
    cairn__public_key key = { .id = cairn__span_of(ready->key_id) };
    memcpy(key.bytes, ready->key, sizeof key.bytes);
    const cairn__bundle_trust trust = { &key, 1, cairn__span_of(ready->project), 0 };
    cairn_span bytes;
    cairn__bundle_fault fault;
    if (cairn__bundle_judge(cairn__buffer_span(&ready->bytes), &trust, &bytes) !=
        CAIRN__BUNDLE_NEW) {
        return CAIRN_INVALID;
    }
    cairn__arena_reset(&ready->arena);
    cairn_status status = cairn__bundle_read(bytes, &ready->arena, &ready->bundle, &fault);
    return status == CAIRN_OK ? cairn__fact_needs_of(&ready->bundle, &ready->arena, &ready->needs)
                              : status;
}

cairn_status cairn__ready_read(cairn__ready *ready) {
    if (atomic_load(&ready->read)) {
        return CAIRN_OK;
    }
    uv_mutex_lock(&ready->mutex);
    cairn_status status = atomic_load(&ready->read) ? CAIRN_OK : read_locked(ready);
    if (status == CAIRN_OK) {
        atomic_store(&ready->read, true);
    } else {
        cairn__logline("error", "bundle_unreadable", "decisions of this process are refused");
    }
    uv_mutex_unlock(&ready->mutex);
    return status;
}

static cairn__ready_decider *make_decider(const cairn__ready *ready) {
    cairn__ready_decider *made = calloc(1, sizeof *made);
    if (made == NULL) {
        return NULL;
    }
    made->arena = cairn__arena_make(cairn__heap(), CAIRN__READY_DECIDER_BYTES_MAX);
    if (cairn__decider_make(&ready->bundle.definitions, &made->arena, &made->decider) != CAIRN_OK) {
        cairn__arena_free(&made->arena);
        free(made);
        return NULL;
    }
    return made;
}

cairn__ready_decider *cairn__ready_decider_take(cairn__ready *ready) {
    uv_mutex_lock(&ready->mutex);
    cairn__ready_decider *spare = ready->spare;
    if (spare != NULL) {
        ready->spare = spare->next;
    }
    uv_mutex_unlock(&ready->mutex);
    return spare != NULL ? spare : make_decider(ready);
}

void cairn__ready_decider_give(cairn__ready *ready, cairn__ready_decider *decider) {
    uv_mutex_lock(&ready->mutex);
    decider->next = ready->spare;
    ready->spare = decider;
    uv_mutex_unlock(&ready->mutex);
}
