/* Finding and running the Python scripts that draw figures. */
#ifndef SGDMFT_CLI_SCRIPT_H
#define SGDMFT_CLI_SCRIPT_H

/* The path of the script `name`, which is installed with the program, or stands beside it in a build tree. The caller
   frees it; NULL after printing that it is in neither place. */
char *script_find(const char *name);

/* A Python 3 that has the modules (a comma-separated list): $SGDMFT_PYTHON if that is set, otherwise python3 on PATH
   or the system's own. NULL after printing what is missing. */
const char *script_python(const char *modules);

/* Runs argv[0], which is looked up on PATH, and waits for it. Returns its exit code; CODE_SYSTEM, after printing why,
   if it cannot be run or dies of a signal; CODE_INTERRUPTED if the signal is SIGINT. */
int script_run(char *const *argv);

#endif
