/* What main.c dispatches to. Each takes the arguments after its name and returns the exit code:
 * 0 done, 1 failed, refused or damaged, 2 wrong use. */
#ifndef CAIRN_CLI_COMMAND_H
#define CAIRN_CLI_COMMAND_H

#define CAIRN__EDGE_ADMIN_DEFAULT "http://127.0.0.1:8081"
#define CAIRN__EDGE_PUBLIC_DEFAULT "http://127.0.0.1:8080"

int cairn__run_analyze(int argc, char **argv);
int cairn__run_person(int argc, char **argv);
int cairn__run_put(int argc, char **argv);
int cairn__run_get(int argc, char **argv);
int cairn__run_remove(int argc, char **argv);
int cairn__run_keys(int argc, char **argv);
int cairn__run_import(int argc, char **argv);
int cairn__run_load(int argc, char **argv);
int cairn__run_verify(int argc, char **argv);

extern const char cairn__definitions_help[];
extern const char cairn__import_help[];
extern const char cairn__load_help[];

#endif
