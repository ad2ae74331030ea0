/* life.h: what main.c starts. */
#ifndef CAIRN_EDGE_LIFE_H
#define CAIRN_EDGE_LIFE_H

enum { CAIRN__EXIT_OK = 0, CAIRN__EXIT_FAILED = 1, CAIRN__EXIT_USAGE = 2, CAIRN__EXIT_CONFIG = 78 };

/** Run until SIGTERM or SIGINT. The process's exit code. */
int cairn__edge_main(const char *config_path);
/** Read the configuration and say whether it is good. 0 or 78. */
int cairn__edge_check(const char *config_path);

#endif
