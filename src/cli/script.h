/* Running the Python script that draws. */
#ifndef SGDMFT_CLI_SCRIPT_H
#define SGDMFT_CLI_SCRIPT_H

/* The file `name` installed with the program, or beside the executable in a build tree; NULL if it is in neither.
   The caller frees it. */
char *script_find(const char *name);

/* A Python 3 that has the modules (a comma-separated list): $SGDMFT_PYTHON if set, otherwise python3 on PATH, otherwise
   the system's own. NULL after printing what is missing. */
const char *script_python(const char *modules);

/* Runs argv[0] (looked up on PATH) and waits; returns its exit code, or CODE_SYSTEM after saying why it could not run,
   or CODE_INTERRUPTED. */
int script_run(char *const *argv);

#endif
