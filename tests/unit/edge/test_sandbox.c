/* Goal: a script on the server ends as a result or as a reason, whatever it does; its process can
 * do nothing but compute, dies when it takes too long, and is replaced; nobody else notices.
 * Method: this program is its own child, as the edge is; real processes, real kills. No test waits
 * a fixed time: good scripts get a wide clock, so that a slow machine changes nothing. */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/bytes.h"
#include "edge/sandbox.h"
#include "edge/sandbox_wire.h"
#include "support/cmocka_all.h"
#include "support/hostile_scripts.h"

enum { WIDE_MS = 10000, WALL_MS = 100, JOBS = 200 };

typedef struct end {
    bool told;
    size_t times;
    cairn__script_outcome outcome;
    size_t bytes;
    char text[1024];
} end;

typedef struct fixture {
    uv_loop_t loop;
    cairn__metrics metrics;
    cairn__sandbox_options options;
    cairn__sandbox *sandbox;
} fixture;

static void begin(fixture *f, size_t children, uint64_t wall_ms) {
    memset(f, 0, sizeof *f);
    assert_int_equal(uv_loop_init(&f->loop), 0);
    f->options = (cairn__sandbox_options){ .loop = &f->loop,
                                           .children = children,
                                           .queue_max = JOBS,
                                           .wall_ms = wall_ms,
                                           .wait_ms = WIDE_MS,
                                           .metrics = &f->metrics };
}

static void go(fixture *f) {
    f->sandbox = cairn__sandbox_start(&f->options);
    assert_non_null(f->sandbox);
    while (cairn__sandbox_alive(f->sandbox) < f->options.children) {
        (void)uv_run(&f->loop, UV_RUN_ONCE);
    }
}

static void finish(fixture *f) {
    cairn__sandbox_stop(f->sandbox);
    (void)uv_run(&f->loop, UV_RUN_DEFAULT);
    cairn__sandbox_free(f->sandbox);
    assert_int_equal(uv_loop_close(&f->loop), 0); /* nothing is left open */
}

static void on_end(void *self, cairn__script_outcome outcome, cairn_span text) {
    end *e = self;
    e->told = true;
    e->times += 1;
    e->outcome = outcome;
    e->bytes = text.len;
    (void)snprintf(e->text, sizeof e->text, "%.*s", (int)text.len, (const char *)text.data);
}

static cairn__script_outcome submit(fixture *f, const char *source, const char *input, end *to) {
    memset(to, 0, sizeof *to);
    const cairn__script_job job = { .source = cairn__span_of(source),
                                    .input = cairn__span_of(input),
                                    .now_ms = 1790000000000 };
    return cairn__sandbox_submit(f->sandbox, &job, on_end, to);
}

static void await(fixture *f, const end *e) {
    while (!e->told) {
        (void)uv_run(&f->loop, UV_RUN_ONCE);
    }
}

static const char good[] = "function main(i) { return i.a + 1; }";

static void expect_good(fixture *f) {
    end e;
    assert_int_equal(submit(f, good, "{\"a\":41}", &e), CAIRN__SCRIPT_OK);
    await(f, &e);
    assert_int_equal(e.outcome, CAIRN__SCRIPT_OK);
    assert_string_equal(e.text, "42");
}

static void every_job_is_told_once(void **state) {
    (void)state;
    fixture f;
    end ends[JOBS];
    begin(&f, 3, WIDE_MS);
    go(&f);
    for (size_t i = 0; i < JOBS; i++) {
        char input[32];
        (void)snprintf(input, sizeof input, "{\"a\":%zu}", i);
        const char *source = i % 3 == 0 ? good : i % 3 == 1 ? "function main() { throw 1; }" : "!";
        assert_int_equal(submit(&f, source, input, &ends[i]), CAIRN__SCRIPT_OK);
        assert_int_equal(ends[i].times, 0); /* never from within */
    }
    for (size_t i = 0; i < JOBS; i++) {
        char wanted[32];
        await(&f, &ends[i]);
        (void)snprintf(wanted, sizeof wanted, "%zu", i + 1);
        assert_int_equal(ends[i].outcome, i % 3 == 0 ? CAIRN__SCRIPT_OK : CAIRN__SCRIPT_ERROR);
        assert_true(i % 3 != 0 || strcmp(ends[i].text, wanted) == 0);
    }
    finish(&f);
    for (size_t i = 0; i < JOBS; i++) {
        assert_int_equal(ends[i].times, 1);
    }
    assert_int_equal(f.metrics.scripts_ok, (JOBS + 2) / 3);
    assert_int_equal(f.metrics.scripts_error, JOBS - (JOBS + 2) / 3);
}

static void large_inputs_and_results_cross_whole(void **state) {
    (void)state;
    fixture f;
    end e = { 0 };
    begin(&f, 1, WIDE_MS);
    go(&f);
    size_t bytes = CAIRN__SCRIPT_INPUT_BYTES_MAX;
    uint8_t *input = malloc(bytes + 1);
    memset(input, 'x', bytes);
    input[0] = input[bytes - 1] = '"';
    cairn__script_job job = { .source = CAIRN_STR("function main(i) { return i.slice(0, 65534); }"),
                              .input = cairn__span(input, bytes) };
    assert_int_equal(cairn__sandbox_submit(f.sandbox, &job, on_end, &e), CAIRN__SCRIPT_OK);
    await(&f, &e);
    assert_int_equal(e.outcome, CAIRN__SCRIPT_OK);
    assert_int_equal(e.bytes, CAIRN__SCRIPT_RESULT_BYTES_MAX);
    job.input.len += 1;
    assert_int_equal(cairn__sandbox_submit(f.sandbox, &job, on_end, &e), CAIRN__SCRIPT_ERROR);
    free(input);
    finish(&f);
}

/* What a script changed is gone, in this process or its successor. */
static void expect_clean(fixture *f) {
    static const char looks[] =
        "function main() { return [typeof ({}).score, [].push === Array.prototype.push, [1, "
        "2].push("
        "3), 'ab'.indexOf('b'), /a/.test('b'), '' + new Error('x'), JSON.stringify({})]; }";
    end e;
    assert_int_equal(submit(f, looks, "", &e), CAIRN__SCRIPT_OK);
    await(f, &e);
    assert_string_equal(e.text, "[\"undefined\",true,3,1,false,\"Error: x\",\"{}\"]");
}

static void run_hostile(const hostile_script *script) {
    fixture f;
    end e = { 0 };
    bool by_clock = script->ends == CAIRN__SCRIPT_TIMEOUT;
    begin(&f, 1, by_clock ? WALL_MS : WIDE_MS);
    go(&f);
    int before = cairn__sandbox_pid(f.sandbox, 0);
    const cairn__script_job job = { .source = { script->source, script->bytes } };
    uint64_t begun = uv_hrtime();
    cairn__script_outcome outcome = cairn__sandbox_submit(f.sandbox, &job, on_end, &e);
    if (outcome == CAIRN__SCRIPT_OK) {
        await(&f, &e);
        outcome = e.outcome;
    }
    print_message("%-20s %5.1f ms %s %s\n", script->name, (double)(uv_hrtime() - begun) / 1e6,
                  outcome == CAIRN__SCRIPT_OK ? "ok" : cairn__script_reason(outcome), e.text);
    assert_int_equal(outcome, script->ends);
    while (cairn__sandbox_pid(f.sandbox, 0) == 0) {
        (void)uv_run(&f.loop, UV_RUN_ONCE);
    }
    assert_true((cairn__sandbox_pid(f.sandbox, 0) != before) == by_clock);
    assert_int_equal(f.metrics.script_kills, by_clock ? 1 : 0);
    assert_int_equal(f.metrics.script_restarts, by_clock ? 1 : 0);
    finish(&f);
}

static void hostile_scripts_end_for_the_right_reason(void **state) {
    (void)state;
    hostile_script scripts[HOSTILE_SCRIPTS_MAX];
    size_t count = hostile_scripts_load(scripts);
    assert_true(count >= HOSTILE_SCRIPTS_MIN);
    for (size_t i = 0; i < count; i++) {
        run_hostile(&scripts[i]);
    }
    hostile_scripts_free(scripts, count);
}

static void hostile_scripts_leave_one_process_clean(void **state) {
    (void)state;
    hostile_script scripts[HOSTILE_SCRIPTS_MAX];
    size_t count = hostile_scripts_load(scripts);
    fixture f;
    begin(&f, 1, WIDE_MS);
    go(&f);
    int pid = cairn__sandbox_pid(f.sandbox, 0);
    for (size_t i = 0; i < count; i++) {
        end e = { 0 };
        const cairn__script_job job = { .source = { scripts[i].source, scripts[i].bytes } };
        if (scripts[i].ends == CAIRN__SCRIPT_TIMEOUT ||
            cairn__sandbox_submit(f.sandbox, &job, on_end, &e) != CAIRN__SCRIPT_OK) {
            continue;
        }
        await(&f, &e);
        assert_int_equal(e.outcome, scripts[i].ends);
        expect_clean(&f);
    }
    assert_int_equal(cairn__sandbox_pid(f.sandbox, 0), pid);
    hostile_scripts_free(scripts, count);
    finish(&f);
}

static void a_full_queue_is_busy_at_once_and_a_long_wait_later(void **state) {
    (void)state;
    fixture f;
    end running;
    end waiting;
    end refused;
    begin(&f, 1, WIDE_MS);
    f.options.queue_max = 1;
    f.options.wait_ms = 20;
    go(&f);
    const char *endless = "function main() { for (;;); }";
    assert_int_equal(submit(&f, endless, "", &running), CAIRN__SCRIPT_OK);
    assert_int_equal(submit(&f, good, "{}", &waiting), CAIRN__SCRIPT_OK);
    assert_int_equal(submit(&f, good, "{}", &refused), CAIRN__SCRIPT_BUSY);
    await(&f, &waiting);
    assert_int_equal(waiting.outcome, CAIRN__SCRIPT_BUSY);
    assert_false(running.told || refused.told);
    finish(&f);
    assert_int_equal(running.outcome, CAIRN__SCRIPT_UNAVAILABLE); /* stopped under way */
    assert_int_equal(f.metrics.scripts_busy, 2);
    assert_int_equal(f.metrics.scripts_unavailable, 1);
}

static void a_killed_script_holds_nobody_else_up(void **state) {
    (void)state;
    fixture f;
    end bad;
    end next;
    begin(&f, 1, WALL_MS);
    go(&f);
    assert_int_equal(submit(&f, "function main() { for (;;); }", "", &bad), CAIRN__SCRIPT_OK);
    await(&f, &bad);
    assert_int_equal(bad.outcome, CAIRN__SCRIPT_TIMEOUT);
    /* the only child is being replaced: this one waits for the new one */
    assert_int_equal(submit(&f, "function main() { return 5; }", "", &next), CAIRN__SCRIPT_OK);
    await(&f, &next);
    assert_true(next.outcome == CAIRN__SCRIPT_OK || next.outcome == CAIRN__SCRIPT_TIMEOUT);
    finish(&f);
}

static void without_children_scripts_are_unavailable(void **state) {
    (void)state;
    const char *const programs[] = { NULL, "/nonexistent/cairn", "/bin/false" };
    for (size_t i = 0; i < 3; i++) {
        fixture f;
        end e;
        begin(&f, i == 0 ? 0 : 2, WIDE_MS);
        f.options.program = programs[i];
        f.sandbox = cairn__sandbox_start(&f.options);
        while (f.metrics.script_restarts < f.options.children) {
            (void)uv_run(&f.loop, UV_RUN_ONCE);
        }
        assert_int_equal(submit(&f, good, "{}", &e), CAIRN__SCRIPT_UNAVAILABLE);
        assert_int_equal(cairn__sandbox_alive(f.sandbox), 0);
        finish(&f);
        assert_false(e.told);
        assert_int_equal(f.metrics.scripts_unavailable, 1);
    }
}

/* A program that says it is ready, reads, and answers these bytes. */
static void write_liar(char *path, const char *answer) {
    int file = mkstemp(path);
    char text[512];
    int len = snprintf(text, sizeof text,
                       "#!/bin/sh\nprintf 'redy\\0\\0\\0\\0'\nhead -c 40 >/dev/null\nprintf '%s'\n"
                       "exec sleep 1000\n",
                       answer);
    assert_true(file >= 0 && write(file, text, (size_t)len) == len && fchmod(file, 0700) == 0);
    (void)close(file);
}

static void what_a_child_says_is_not_believed(void **state) {
    (void)state;
    const char *const answers[] = {
        "\\377\\0\\0\\0\\0\\0\\0\\0",       /* no outcome */
        "\\001\\0\\0\\0\\0\\0\\0\\0",       /* unavailable: not its to say */
        "\\0\\0\\0\\0\\377\\377\\377\\377", /* too long */
        "\\0\\0\\0\\0\\001\\0\\0\\0\\377",  /* not UTF-8 */
        "\\0\\0\\0\\0\\001\\0\\0\\00012",   /* more than it said */
        "redy\\0\\0\\0\\0",
    };
    for (size_t i = 0; i < sizeof answers / sizeof answers[0]; i++) {
        char path[] = "/tmp/cairn-liar-XXXXXX";
        fixture f;
        end e;
        write_liar(path, answers[i]);
        begin(&f, 1, WIDE_MS);
        f.options.program = path;
        go(&f);
        assert_int_equal(submit(&f, good, "{}", &e), CAIRN__SCRIPT_OK);
        await(&f, &e);
        assert_int_equal(e.outcome, CAIRN__SCRIPT_ERROR);
        assert_int_equal(f.metrics.script_kills, 1);
        finish(&f);
        (void)unlink(path);
    }
}

static void a_child_that_is_killed_by_others_is_replaced(void **state) {
    (void)state;
    fixture f;
    end e;
    begin(&f, 1, WIDE_MS);
    go(&f);
    int pid = cairn__sandbox_pid(f.sandbox, 0);
    assert_int_equal(submit(&f, "function main() { for (;;); }", "", &e), CAIRN__SCRIPT_OK);
    (void)kill(pid, SIGKILL);
    await(&f, &e);
    assert_int_equal(e.outcome, CAIRN__SCRIPT_ERROR);
    expect_good(&f);
    assert_int_not_equal(cairn__sandbox_pid(f.sandbox, 0), pid);
    finish(&f);
}

static void a_child_is_replaced_after_its_last_job(void **state) {
    (void)state;
    fixture f;
    begin(&f, 1, WIDE_MS);
    f.options.child_jobs_max = 3;
    go(&f);
    for (size_t i = 0; i < 10; i++) {
        expect_good(&f);
    }
    assert_int_equal(f.metrics.script_kills, 3);
    finish(&f);
}

/* --- the lock --------------------------------------------------------------------------------- */

static int probe(const char *what) {
    int extra = open("/dev/null", O_RDWR);
    char byte = 0;
    if (!cairn__sandbox_lock()) {
        return 100;
    }
    if (strcmp(what, "write") == 0) {
        return write(STDOUT_FILENO, "w", 1) == 1 ? 101 : 102;
    }
    long got = strcmp(what, "open") == 0     ? open("/etc/passwd", O_RDONLY)
               : strcmp(what, "socket") == 0 ? socket(AF_INET, SOCK_STREAM, 0)
               : strcmp(what, "fork") == 0   ? (long)fork()
               : strcmp(what, "exec") == 0   ? execl("/bin/true", "true", (char *)NULL)
               : strcmp(what, "kill") == 0   ? kill(getppid(), 0)
               : strcmp(what, "read3") == 0  ? read(extra, &byte, 1)
               : strcmp(what, "write2") == 0 ? write(STDERR_FILENO, &byte, 1)
               : strcmp(what, "unlink") == 0 ? unlink("/tmp/none-of-this-name")
                                             : -1;
    _exit(got >= 0 ? 103 : 104); /* alive: the lock failed */
}

static void the_lock_kills_at_anything_but_its_two_pipes(void **state) {
    (void)state;
    const char *const calls[] = { "open", "socket", "fork",   "exec",
                                  "kill", "read3",  "write2", "unlink" };
    char self[4096] = { 0 };
    assert_true(readlink("/proc/self/exe", self, sizeof self - 1) > 0);
    for (size_t i = 0; i < sizeof calls / sizeof calls[0] + 1; i++) {
        bool control = i == sizeof calls / sizeof calls[0];
        int status = 0;
        int ends[2];
        assert_int_equal(pipe(ends), 0);
        pid_t pid = fork();
        if (pid == 0) {
            (void)dup2(ends[1], STDOUT_FILENO);
            (void)execl(self, self, "--probe", control ? "write" : calls[i], (char *)NULL);
            _exit(99);
        }
        assert_int_equal(waitpid(pid, &status, 0), pid);
        (void)close(ends[0]);
        (void)close(ends[1]);
        print_message("%-8s %s %d\n", control ? "write" : calls[i],
                      WIFSIGNALED(status) ? "signal" : "exit",
                      WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
        if (control) {
            assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 101);
        } else {
            assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS);
        }
    }
}

int main(int argc, char **argv) {
    if (argc == 2 && strcmp(argv[1], CAIRN__SANDBOX_ARGUMENT) == 0) {
        return cairn__sandbox_child();
    }
    if (argc == 3 && strcmp(argv[1], "--probe") == 0) {
        _exit(probe(argv[2]));
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_job_is_told_once),
        cmocka_unit_test(large_inputs_and_results_cross_whole),
        cmocka_unit_test(hostile_scripts_end_for_the_right_reason),
        cmocka_unit_test(hostile_scripts_leave_one_process_clean),
        cmocka_unit_test(a_full_queue_is_busy_at_once_and_a_long_wait_later),
        cmocka_unit_test(a_killed_script_holds_nobody_else_up),
        cmocka_unit_test(without_children_scripts_are_unavailable),
        cmocka_unit_test(what_a_child_says_is_not_believed),
        cmocka_unit_test(a_child_that_is_killed_by_others_is_replaced),
        cmocka_unit_test(a_child_is_replaced_after_its_last_job),
        cmocka_unit_test(the_lock_kills_at_anything_but_its_two_pipes),
    };
    return cmocka_run_group_tests_name("edge/sandbox", tests, NULL, NULL);
}
