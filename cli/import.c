/* import.c: a file of rows -> events at an edge. The same file is the same source: its rows carry
 * their line as seq and its content's hash as idempotency key, so importing it again counts
 * nothing twice. A row that cannot be imported goes to FILE.rejected.csv with its line and why. */
#include <errno.h>
#include <inttypes.h>
#include <mbedtls/sha256.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "base/bytes.h"
#include "cli/args.h"
#include "cli/command.h"
#include "cli/convert.h"
#include "cli/progress.h"
#include "cli/rejects.h"
#include "cli/sender.h"

#define KEY_BYTES 80u
#define READ_BYTES 65536u
#define SHOWN_EVENTS 3u

const char cairn__import_help[] =
    "usage: cairn import FILE|- --key KEY [--edge URL] [what the columns mean]\n\n"
    "  --edge URL            the public address of the edge (default " CAIRN__EDGE_PUBLIC_DEFAULT
    ")\n"
    "  --key KEY             the project's write key\n"
    "  --mapping FILE        what the columns mean, in YAML or JSON; the flags below go before it\n"
    "  --format csv|jsonl    default: by the name of FILE\n"
    "  --delimiter C         one character, tab or blanks (default: a comma)\n"
    "  --columns A,B,C       the names of the columns; without it the first line has them\n"
    "  --user COLUMN         who did it; --id-type TYPE says what kind of id (default login)\n"
    "  --id TYPE=COLUMN      one more id; may be repeated\n"
    "  --event NAME          what happened, the same for all rows, or\n"
    "  --event-column COLUMN where it stands\n"
    "  --time COLUMN         when\n"
    "  --time-format F       rfc3339 (default), epoch_s, epoch_ms or a strptime pattern: %Y%m%d\n"
    "  --zone ZONE           of times that name none: UTC (default), +08:00 or Asia/Shanghai\n"
    "  --property COLUMN[:TYPE][=NAME]   may be repeated; without any, all other columns of a CSV\n"
    "                        TYPE: string, integer, number, boolean, time, list, any (default)\n"
    "  --name NAME           count as the import of this name, not of this content\n"
    "  --requests N          at once (default 4)\n"
    "  --retry-seconds N     how long a batch is tried while the edge is busy (default 300)\n"
    "  --dry-run             read and check every row, print the first events, send nothing\n"
    "  --allow-bad           exit 0 although rows were bad\n\n"
    "JSON lines without a mapping are events as POST /v1/events takes them.\n"
    "Bad rows, also those the edge refuses, go to FILE.rejected.csv. Exit code 1 tells of them.\n"
    "Importing the same FILE again counts nothing twice (an edge remembers for 90 days); with\n"
    "another mapping, give --name.\n";

typedef struct {
    const char *file;
    const char *edge;
    const char *key;
    const char *mapping_file;
    const char *format;
    const char *delimiter;
    const char *columns;
    const char *user;
    const char *id_type;
    const char *event;
    const char *event_column;
    const char *time;
    const char *time_format;
    const char *zone;
    const char *name;
    cairn__args_list ids;
    cairn__args_list properties;
    uint64_t requests;
    uint64_t retry_seconds;
    bool dry_run;
    bool allow_bad;
} flags;

typedef struct {
    flags f;
    FILE *in;
    uint64_t file_bytes; /* 0: not known */
    char idempotency_key[KEY_BYTES];
    cairn__mapping mapping;
    cairn__rows rows;
    cairn__convert convert;
    cairn__rejects rejects;
    cairn__progress progress;
    cairn__sender *sender; /* NULL in a dry run */
    cairn__batch *batch;   /* being filled; NULL: none */
    uint64_t read;
    uint64_t accepted;
    uint64_t refused; /* by the edge */
} importing;

static int64_t now_ms(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* --- what is asked for ----------------------------------------------------------------------- */

static bool read_flags(int argc, char **argv, flags *f) {
    *f = (flags){
        .edge = CAIRN__EDGE_PUBLIC_DEFAULT, .id_type = "login", .requests = 4, .retry_seconds = 300
    };
    const cairn__arg table[] = {
        { "--edge", CAIRN__ARG_TEXT, &f->edge, 0, 0 },
        { "--key", CAIRN__ARG_TEXT, &f->key, 0, 0 },
        { "--mapping", CAIRN__ARG_TEXT, &f->mapping_file, 0, 0 },
        { "--format", CAIRN__ARG_TEXT, &f->format, 0, 0 },
        { "--delimiter", CAIRN__ARG_TEXT, &f->delimiter, 0, 0 },
        { "--columns", CAIRN__ARG_TEXT, &f->columns, 0, 0 },
        { "--user", CAIRN__ARG_TEXT, &f->user, 0, 0 },
        { "--id-type", CAIRN__ARG_TEXT, &f->id_type, 0, 0 },
        { "--id", CAIRN__ARG_MANY, &f->ids, 0, 0 },
        { "--event", CAIRN__ARG_TEXT, &f->event, 0, 0 },
        { "--event-column", CAIRN__ARG_TEXT, &f->event_column, 0, 0 },
        { "--time", CAIRN__ARG_TEXT, &f->time, 0, 0 },
        { "--time-format", CAIRN__ARG_TEXT, &f->time_format, 0, 0 },
        { "--zone", CAIRN__ARG_TEXT, &f->zone, 0, 0 },
        { "--property", CAIRN__ARG_MANY, &f->properties, 0, 0 },
        { "--name", CAIRN__ARG_TEXT, &f->name, 0, 0 },
        { "--requests", CAIRN__ARG_WHOLE, &f->requests, 1, CAIRN__SENDER_REQUESTS_MAX },
        { "--retry-seconds", CAIRN__ARG_WHOLE, &f->retry_seconds, 0, 86400 },
        { "--dry-run", CAIRN__ARG_FLAG, &f->dry_run, 0, 0 },
        { "--allow-bad", CAIRN__ARG_FLAG, &f->allow_bad, 0, 0 },
    };
    if (!cairn__args_read(argc, argv, table, sizeof table / sizeof *table, &f->file)) {
        return false;
    }
    if (f->file == NULL || (f->key == NULL && !f->dry_run)) {
        fputs(f->file == NULL ? "cairn: import: which FILE? see cairn help import\n"
                              : "cairn: import: give the project's write key with --key\n",
              stderr);
        return false;
    }
    return true;
}

static bool read_mapping_file(cairn__mapping *mapping, const char *path) {
    FILE *file = fopen(path, "rb");
    char *text = malloc(CAIRN__MAPPING_FILE_BYTES_MAX + 1);
    bool ok = false;
    if (file == NULL || text == NULL) {
        snprintf(mapping->problem, sizeof mapping->problem, "mapping file %.150s: %s", path,
                 strerror(errno));
    } else {
        ok = cairn__mapping_read(mapping, text,
                                 fread(text, 1, CAIRN__MAPPING_FILE_BYTES_MAX + 1, file));
    }
    free(text);
    if (file != NULL) {
        fclose(file);
    }
    return ok;
}

static bool ends_with(const char *text, const char *end) {
    size_t a = strlen(text);
    size_t b = strlen(end);
    return a >= b && strcmp(text + a - b, end) == 0;
}

static void guess_format(cairn__mapping *mapping, const char *file) {
    if (mapping->format != CAIRN__FORMAT_UNKNOWN) {
        return;
    }
    if (ends_with(file, ".csv") || ends_with(file, ".tsv") || ends_with(file, ".txt")) {
        mapping->format = CAIRN__FORMAT_CSV;
    } else if (ends_with(file, ".jsonl") || ends_with(file, ".ndjson")) {
        mapping->format = CAIRN__FORMAT_JSONL;
    }
    if (ends_with(file, ".tsv") && mapping->delimiter == 0) {
        mapping->delimiter = '\t';
    }
}

static bool apply_flags(cairn__mapping *mapping, const flags *f) {
    bool ok = f->mapping_file == NULL || read_mapping_file(mapping, f->mapping_file);
    ok = ok && (f->format == NULL || cairn__mapping_set_format(mapping, f->format)) &&
         (f->delimiter == NULL || cairn__mapping_set_delimiter(mapping, f->delimiter)) &&
         (f->columns == NULL || cairn__mapping_set_columns(mapping, f->columns)) &&
         (f->user == NULL || cairn__mapping_set_user(mapping, f->user, f->id_type));
    for (size_t i = 0; ok && i < f->ids.count; i++) {
        ok = cairn__mapping_add_id(mapping, f->ids.items[i]);
    }
    for (size_t i = 0; ok && i < f->properties.count; i++) {
        ok = cairn__mapping_add_property(mapping, f->properties.items[i]);
    }
    if (!ok) {
        return false;
    }
    if (f->event != NULL || f->event_column != NULL) {
        mapping->event = f->event;
        mapping->event_column = f->event_column;
    }
    mapping->time_column = f->time == NULL ? mapping->time_column : f->time;
    mapping->time_format = f->time_format == NULL ? mapping->time_format : f->time_format;
    mapping->zone = f->zone == NULL ? mapping->zone : f->zone;
    guess_format(mapping, f->file);
    return cairn__mapping_check(mapping);
}

/* --- the source ------------------------------------------------------------------------------ */

static void hex_key(const unsigned char *hash, char *to) {
    int used = snprintf(to, KEY_BYTES, "import-");
    for (size_t i = 0; i < 16; i++) {
        used += snprintf(to + used, KEY_BYTES - (size_t)used, "%02x", hash[i]);
    }
}

/* The key of a name, or of the whole content, after which the file stands at its start again. */
static bool find_key(importing *im) {
    unsigned char hash[32];
    static unsigned char bytes[READ_BYTES];
    if (im->f.name != NULL) {
        mbedtls_sha256_ret((const unsigned char *)im->f.name, strlen(im->f.name), hash, 0);
        hex_key(hash, im->idempotency_key);
        return true;
    }
    if (im->file_bytes == 0) {
        fputs("cairn: import: what is read only once has no hash of its content; give --name\n",
              stderr);
        return false;
    }
    mbedtls_sha256_context sha;
    mbedtls_sha256_init(&sha);
    mbedtls_sha256_starts_ret(&sha, 0);
    size_t count;
    while ((count = fread(bytes, 1, sizeof bytes, im->in)) > 0) {
        mbedtls_sha256_update_ret(&sha, bytes, count);
    }
    mbedtls_sha256_finish_ret(&sha, hash);
    mbedtls_sha256_free(&sha);
    hex_key(hash, im->idempotency_key);
    if (ferror(im->in) || fseek(im->in, 0, SEEK_SET) != 0) {
        fprintf(stderr, "cairn: %s: %s\n", im->f.file, strerror(errno));
        return false;
    }
    return true;
}

static bool open_file(importing *im) {
    struct stat status;
    im->in = strcmp(im->f.file, "-") == 0 ? stdin : fopen(im->f.file, "rb");
    if (im->in == NULL || fstat(fileno(im->in), &status) != 0 || S_ISDIR(status.st_mode)) {
        fprintf(stderr, "cairn: %s: %s\n", im->f.file,
                im->in == NULL ? strerror(errno) : "it is a folder, not a file");
        return false;
    }
    im->file_bytes = S_ISREG(status.st_mode) ? (uint64_t)status.st_size : 0;
    return im->f.dry_run || find_key(im);
}

/* --- rows to batches ------------------------------------------------------------------------- */

static void tick(void *self) {
    importing *im = self;
    int64_t now = now_ms();
    if (!cairn__progress_due(&im->progress, now)) {
        return;
    }
    cairn__progress_state state = { .bytes_total = im->file_bytes,
                                    .rows = im->read,
                                    .bad = im->rejects.count };
    off_t at = ftello(im->in);
    state.bytes = at < 0 ? 0 : (uint64_t)at;
    cairn__progress_draw(&im->progress, &state, now);
}

static cairn_span raw_of(const cairn__batch *batch, size_t i) {
    size_t from = i == 0 ? 0 : batch->raw_ends[i - 1];
    return cairn__span(batch->raw.data + from, batch->raw_ends[i] - from);
}

static void answered(void *self, const cairn__batch *batch, const json_t *answer) {
    importing *im = self;
    json_t *rejected = json_object_get(answer, "rejected");
    uint64_t refused = 0;
    for (size_t i = 0; i < json_array_size(rejected); i++) {
        const json_t *one = json_array_get(rejected, i);
        size_t index = (size_t)json_integer_value(json_object_get(one, "index"));
        const char *code = json_string_value(json_object_get(one, "code"));
        const char *field = json_string_value(json_object_get(one, "field"));
        const char *fix = json_string_value(json_object_get(one, "fix"));
        char reason[512];
        if (index >= batch->count) {
            continue;
        }
        snprintf(reason, sizeof reason, "the edge refused it: %s%s%s%s%s",
                 code == NULL ? "no reason given" : code, field == NULL ? "" : ": ",
                 field == NULL ? "" : field, fix == NULL ? "" : "; ", fix == NULL ? "" : fix);
        cairn__rejects_add(&im->rejects, batch->lines[index], reason, raw_of(batch, index));
        refused++;
    }
    im->refused += refused;
    im->accepted += batch->count - refused;
}

static void reject_row(importing *im, const char *reason) {
    cairn__buffer raw = cairn__buffer_make(cairn__heap(), (size_t)4 * CAIRN__CSV_ROW_BYTES_MAX);
    cairn__rows_raw(&im->rows, &raw);
    cairn__rejects_add(&im->rejects, im->rows.line, reason, cairn__buffer_span(&raw));
    cairn__buffer_free(&raw);
}

/* Room in the batch for one more event; sends a full one. False when sending failed for good. */
static bool make_room(importing *im, size_t bytes) {
    cairn__batch *batch = im->batch;
    if (batch != NULL && (batch->count == CAIRN__BATCH_EVENTS_MAX ||
                          batch->body.len + bytes + 1 > CAIRN__SENDER_BODY_BYTES_MAX)) {
        cairn__sender_send(im->sender, batch);
        im->batch = NULL;
    }
    if (im->batch == NULL) {
        im->batch = cairn__sender_batch(im->sender);
    }
    return im->batch != NULL;
}

static bool add_event(importing *im, const char *text) {
    size_t bytes = strlen(text);
    if (bytes >= CAIRN__SENDER_BODY_BYTES_MAX) {
        reject_row(im, "the event is longer than a request may be (1000000 bytes)");
        return true;
    }
    if (!make_room(im, bytes)) {
        return false;
    }
    cairn__batch *batch = im->batch;
    cairn__buffer_append(&batch->body, cairn__span(text, bytes));
    cairn__buffer_byte(&batch->body, '\n');
    cairn__rows_raw(&im->rows, &batch->raw);
    batch->lines[batch->count] = im->rows.line;
    batch->raw_ends[batch->count] = batch->raw.len;
    batch->count++;
    return true;
}

/* False when sending failed for good. */
static bool take_row(importing *im, cairn__csv_result result) {
    im->read++;
    if (result == CAIRN__CSV_BAD) {
        reject_row(im, im->rows.reason);
        return true;
    }
    json_t *event = cairn__convert_row(&im->convert);
    if (event == NULL) {
        reject_row(im, im->convert.reason);
        return true;
    }
    char *text = json_dumps(event, JSON_COMPACT);
    json_decref(event);
    bool ok = text != NULL;
    if (ok && im->f.dry_run) {
        if (im->accepted++ < SHOWN_EVENTS) {
            puts(text);
        }
    } else if (ok) {
        ok = add_event(im, text);
    }
    free(text);
    return ok;
}

/* All rows, to the last answer. False: something other than a bad row went wrong, and was told. */
static bool run_rows(importing *im) {
    for (;;) {
        cairn__csv_result result = cairn__rows_next(&im->rows);
        if (result == CAIRN__CSV_FAILED) {
            fprintf(stderr, "cairn: %s: %s\n", im->f.file, im->rows.reason);
            return false;
        }
        if (result == CAIRN__CSV_END || !take_row(im, result)) {
            break;
        }
        if (im->read % 256 == 0) {
            tick(im);
        }
    }
    if (im->sender == NULL) {
        return true;
    }
    if (im->batch != NULL) {
        cairn__sender_send(im->sender, im->batch);
    }
    bool ok = cairn__sender_drain(im->sender);
    cairn__progress_close(&im->progress);
    if (!ok) {
        fprintf(stderr, "cairn: import: %s\n", cairn__sender_problem(im->sender));
        fputs("cairn: import: what was sent stays; run the same command again to go on\n", stderr);
    }
    return ok;
}

/* --- the whole ------------------------------------------------------------------------------- */

static void summarize(importing *im) {
    double seconds = (double)(now_ms() - im->progress.started_ms) / 1000.0;
    uint64_t repeats = im->sender == NULL ? 0 : cairn__sender_repeats(im->sender);
    printf("%" PRIu64 " rows read, %" PRIu64 " events %s, %" PRIu64 " rows bad (%" PRIu64
           " refused by the edge), %.1f s",
           im->read, im->accepted,
           im->f.dry_run ? "good (a dry run: nothing was sent)" : "accepted", im->rejects.count,
           im->refused, seconds);
    if (seconds > 0.5) {
        printf(", %.0f/s", (double)im->read / seconds);
    }
    if (repeats > 0) {
        printf(", %" PRIu64 " requests repeated", repeats);
    }
    puts("");
    if (im->rejects.count > 0 && !im->rejects.failed) {
        printf("bad rows: %s\n", im->rejects.path);
    }
}

static bool open_all(importing *im) {
    if (!open_file(im)) {
        return false;
    }
    const char *problem = NULL;
    if (!cairn__rows_open(&im->rows, im->in, &im->mapping)) {
        problem = im->rows.reason;
    } else if (!cairn__convert_open(&im->convert, &im->rows, &im->mapping)) {
        problem = im->convert.reason;
    }
    if (problem != NULL) {
        fprintf(stderr, "cairn: %s: %s\n", im->f.file, problem);
        return false;
    }
    const cairn__sender_options options = { .edge = im->f.edge,
                                            .key = im->f.key,
                                            .idempotency_key = im->idempotency_key,
                                            .requests = im->f.requests,
                                            .retry_seconds = im->f.retry_seconds,
                                            .answered = answered,
                                            .tick = tick,
                                            .self = im };
    im->sender = im->f.dry_run ? NULL : cairn__sender_open(&options);
    if (im->sender == NULL && !im->f.dry_run) {
        fputs("cairn: import: --edge or --key is too long, or memory is short\n", stderr);
        return false;
    }
    return true;
}

static int run(importing *im) {
    char path[CAIRN__REJECTS_PATH_BYTES];
    if (!open_all(im)) {
        return 1;
    }
    snprintf(path, sizeof path, "%s.rejected.csv",
             strcmp(im->f.file, "-") == 0 ? "stdin" : im->f.file);
    cairn__rejects_open(&im->rejects, path, &im->rows);
    cairn__progress_open(&im->progress, stderr, now_ms());
    bool ok = run_rows(im);
    cairn__progress_close(&im->progress);
    ok &= cairn__rejects_close(&im->rejects);
    summarize(im);
    return ok && (im->rejects.count == 0 || im->f.allow_bad) ? 0 : 1;
}

int cairn__run_import(int argc, char **argv) {
    importing *im = calloc(1, sizeof *im);
    if (im == NULL) {
        return 1;
    }
    int code = 2;
    cairn__mapping_open(&im->mapping);
    if (read_flags(argc, argv, &im->f)) {
        if (apply_flags(&im->mapping, &im->f)) {
            code = run(im);
        } else {
            fprintf(stderr, "cairn: import: %s\n", im->mapping.problem);
        }
    }
    cairn__sender_close(im->sender);
    cairn__rows_close(&im->rows);
    cairn__mapping_close(&im->mapping);
    if (im->in != NULL && im->in != stdin) {
        fclose(im->in);
    }
    free(im);
    return code;
}
