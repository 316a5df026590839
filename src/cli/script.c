#include "cli/script.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/command.h"
#include "cli/messages.h"

extern char **environ;

/* The directory of the running executable; the caller frees it. */
static char *executable_directory(void)
{
    char *path = realpath("/proc/self/exe", NULL);
    char *slash = path ? strrchr(path, '/') : NULL;
    if (slash)
        *slash = '\0';
    return path;
}

char *script_find(const char *name)
{
    /* Relative to the executable: the place in an installation, and the place in a build tree. */
    static const char *const places[] = {SCRIPT_DIRECTORY, "."};
    char *directory = executable_directory(), *found = NULL;
    for (size_t i = 0; i < 2 && directory && !found; i++) {
        int absolute = places[i][0] == '/';
        if (asprintf(&found, "%s%s%s/%s", absolute ? "" : directory, absolute ? "" : "/", places[i], name) < 0)
            found = NULL;
        if (found && access(found, R_OK) != 0) {
            free(found);
            found = NULL;
        }
    }
    if (!found)
        print_error("the script %s, which draws figures, is not installed with the program", name);
    free(directory);
    return found;
}

/* Starts a program and waits for it; with `silent` its output is discarded. Returns its wait status, or -1 with errno
   set. */
static int spawn_and_wait(char *const *argv, int silent)
{
    posix_spawn_file_actions_t actions;
    pid_t child;
    int status = 0;
    int error = posix_spawn_file_actions_init(&actions);
    if (!error && silent)
        error = posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
    if (!error && silent)
        error = posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0);
    if (!error)
        error = posix_spawnp(&child, argv[0], &actions, NULL, argv, environ);
    posix_spawn_file_actions_destroy(&actions);
    if (error) {
        errno = error;
        return -1;
    }
    while (waitpid(child, &status, 0) < 0)
        if (errno != EINTR)
            return -1;
    return status;
}

/* The modules are looked for but not loaded, which would take a second. */
static int has_modules(const char *python, const char *modules)
{
    static const char probe[] = "import sys, importlib.util as u\n"
                                "sys.exit(sys.version_info < (3, 7) or "
                                "not all(u.find_spec(m) for m in sys.argv[1].split(',')))";
    char *const argv[] = {(char *)python, "-c", (char *)probe, (char *)modules, NULL};
    int status = spawn_and_wait(argv, 1);
    return status != -1 && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

const char *script_python(const char *modules)
{
    const char *chosen = getenv("SGDMFT_PYTHON");
    if (chosen && chosen[0] != '\0') {
        if (has_modules(chosen, modules))
            return chosen;
        print_error("SGDMFT_PYTHON is '%s', which is not a Python 3 with the modules %s", chosen, modules);
        return NULL;
    }
    /* Modules from the system's package manager are visible to the system's Python only. */
    static const char *const candidates[] = {"python3", "/usr/bin/python3"};
    for (size_t i = 0; i < 2; i++)
        if (has_modules(candidates[i], modules))
            return candidates[i];
    print_error(
        "figures need a Python 3 with the modules %s, and neither python3 on PATH nor /usr/bin/python3 has them; "
        "install them (Debian: apt install python3-matplotlib python3-h5py), or set SGDMFT_PYTHON to a Python "
        "that has them",
        modules);
    return NULL;
}

int script_run(char *const *argv)
{
    int status = spawn_and_wait(argv, 0);
    if (status == -1) {
        print_error("cannot run '%s': %s", argv[0], strerror(errno));
        return CODE_SYSTEM;
    }
    if (WIFEXITED(status))
        return WEXITSTATUS(status);
    print_error("'%s' was ended by a signal: %s", argv[0], strsignal(WTERMSIG(status)));
    return WTERMSIG(status) == SIGINT ? CODE_INTERRUPTED : CODE_SYSTEM;
}
