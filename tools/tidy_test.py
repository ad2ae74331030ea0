#!/usr/bin/env python3
"""Each house rule finds what it forbids and leaves alone what it allows."""
import unittest

import tidy


def rules(path, text):
    return [finding.rule for finding in
            list(tidy.check_c(path, text)) + list(tidy.check_text(path, text))]


class Includes(unittest.TestCase):
    def test_a_room_may_include_lower_rooms_and_itself(self):
        text = '#include "base/memory.h"\n#include "trail/image.h"\n#include "cairn/x.h"\n'
        self.assertEqual(rules("collector/trail/image.c", text), [])

    def test_upward_and_sideways_includes_are_refused(self):
        for path, name in (("sdk/base/x.c", "model/event.h"), ("sdk/decide/x.c", "script/run.h"),
                           ("collector/log/x.c", "fold/fold.h"), ("collector/log/x.c", "edge/a.h")):
            self.assertEqual(rules(path, f'#include "{name}"\n'), ["include-direction"], path)

    def test_the_collector_does_not_know_the_client(self):
        self.assertEqual(rules("collector/fold/x.c", '#include "client/queue.h"\n'),
                         ["include-direction"])

    def test_an_include_names_its_folder(self):
        self.assertEqual(rules("sdk/base/x.c", '#include "memory.h"\n'), ["include-folder"])
        self.assertEqual(rules("sdk/model/x.c", '#include "cairn.pb.h"\n'), [])

    def test_sockets_and_threads_belong_to_hosts(self):
        self.assertEqual(rules("collector/log/x.c", "#include <uv.h>\n"), ["host-header"])
        self.assertEqual(rules("sdk/port/posix/x.c", "#include <pthread.h>\n"), [])

    def test_a_cycle_is_found_once_and_named(self):
        found = list(tidy.check_cycles({"a.h": {"b.h"}, "b.h": {"c.h"}, "c.h": {"a.h"}}))
        self.assertEqual([finding.text for finding in found], ["a.h -> b.h -> c.h -> a.h"])


class Functions(unittest.TestCase):
    def test_sixty_lines_are_allowed_and_sixty_one_are_not(self):
        def body(lines):
            return "int f(void) {\n" + "    g();\n" * (lines - 2) + "}\n"
        self.assertEqual(rules("sdk/base/x.c", body(60)), [])
        self.assertEqual(rules("sdk/base/x.c", body(61)), ["function-length"])

    def test_five_parameters_are_allowed_and_six_are_not(self):
        self.assertEqual(rules("edge/x.c", "int f(int a, int b, int c, int (*d)(int, int)) {}"), [])
        self.assertEqual(rules("edge/x.c", "int f(int a, int b, int c, int d, int e, int g) {}"),
                         ["parameters"])

    def test_nesting_counts_blocks_and_not_initializers(self):
        deep = "void f(void) { if (a) { for (;;) { while (b) { %s } } } }"
        self.assertEqual(rules("edge/x.c", deep % "g((span){ 1, 2 });"), [])
        self.assertEqual(rules("edge/x.c", deep % "if (c) { d(); }"), ["nesting"])


class State(unittest.TestCase):
    def test_mutable_variables_at_file_scope(self):
        for text in ("static int count;", "int table[3] = { 1, 2, 3 };", "static char *names[2];",
                     "static const char *names[] = { \"a\" };", "static void (*hook)(int);",
                     "void f(void) { static int calls = 0; calls++; }",
                     "static _Thread_local int x;"):
            self.assertIn("global", rules("sdk/client/x.c", text + "\n"), text)

    def test_constants_types_and_prototypes_are_not_state(self):
        for text in ("static const int table[3] = { 1, 2, 3 };", "struct a { int b; };",
                     "static const char *const names[] = { \"a\", \"b\" };", "struct forward;",
                     "typedef struct a { int (*call)(void *); } a;", "enum { A = 1, B = 2 };",
                     "int f(int a);", "_Static_assert(1, \"x\");",
                     "static const struct { int a; } pairs[] = { { 1 }, { 2 } };"):
            self.assertEqual(rules("sdk/client/x.c", text + "\n"), [], text)


class Calls(unittest.TestCase):
    def test_banned_everywhere(self):
        self.assertEqual(rules("cli/x.c", "void f(void) { strcpy(a, b); }"), ["banned-call"])

    def test_banned_in_libraries_only(self):
        text = "void f(void) { exit(1); }"
        self.assertEqual(rules("cli/x.c", text), [])
        self.assertEqual(rules("collector/log/x.c", text), ["banned-call"])

    def test_names_in_comments_strings_and_members_are_not_calls(self):
        text = 'void f(void) { g("strcpy(", x->time(1), y.exit(2)); } // rand()\n/* malloc(1) */\n'
        self.assertEqual(rules("sdk/client/x.c", text), [])


class Texts(unittest.TestCase):
    def test_columns_lines_and_nameless_promises(self):
        self.assertEqual(rules("edge/x.c", "//" + "x" * 98), [])
        self.assertEqual(rules("edge/x.c", "//" + "x" * 99), ["columns"])
        self.assertEqual(rules("edge/x.c", "\n" * 700), ["file-length"])
        self.assertEqual(rules("edge/x.c", "/* TO" + "DO: later */"), ["todo"])
        self.assertEqual(rules("edge/x.c", "/* TO" + "DO(ann): later */"), [])

    def test_a_folder_of_sources_has_a_readme(self):
        paths = ["sdk/base/a.c", "sdk/model/b.c", "sdk/model/README.md"]
        self.assertEqual([finding.path for finding in tidy.check_readmes(paths)], ["sdk/base"])

    def test_an_exception_excuses_and_an_unused_one_is_a_finding(self):
        finding = tidy.Finding("edge/x.c", 1, "columns", "")
        left = tidy.excuse([finding], {("edge/x.c", "columns"): "", ("edge/y.c", "nesting"): ""})
        self.assertEqual([one.rule for one in left], ["unused-exception"])


if __name__ == "__main__":
    unittest.main()
