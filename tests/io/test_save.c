/* Saving bytes: all or nothing, nothing overwritten unasked, the reason when it cannot be done. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "io/room.h"
#include "io/save.h"

static void check_content(const char *path, const char *want)
{
    size_t size;
    char *got = room_read(path, &size);
    assert_string_equal(got, want);
    free(got);
}

static void new_file(void **state)
{
    const room *r = *state;
    const char *path = room_path(r, "new.csv");
    mode_t before = umask(027);
    check_ok(r->ctx, save_bytes(r->ctx, path, "abc\n", 4, 0));
    umask(before);
    check_content(path, "abc\n");
    struct stat info;
    assert_int_equal(stat(path, &info), 0);
    assert_int_equal(info.st_mode & 0777, 0640);
    assert_int_equal(room_count(r), 1);
    check_ok(r->ctx, save_bytes(r->ctx, room_path(r, "empty"), "", 0, 0));
    check_content(room_path(r, "empty"), "");
}

static void existing_file(void **state)
{
    const room *r = *state;
    const char *path = room_path(r, "old.csv");
    room_write(path, "precious\n");
    check_failure(r->ctx, save_check(r->ctx, path, 0), SGDMFT_ERR_EXISTS, "--force");
    check_failure(r->ctx, save_bytes(r->ctx, path, "abc\n", 4, 0), SGDMFT_ERR_EXISTS, "old.csv");
    check_content(path, "precious\n");
    check_ok(r->ctx, save_bytes(r->ctx, path, "abc\n", 4, 1));
    check_content(path, "abc\n");
    assert_int_equal(room_count(r), 1);
}

static void through_a_link(void **state)
{
    const room *r = *state;
    const char *target = room_path(r, "target"), *link = room_path(r, "link");
    room_write(target, "precious\n");
    assert_int_equal(symlink("target", link), 0);
    check_failure(r->ctx, save_bytes(r->ctx, link, "abc\n", 4, 0), SGDMFT_ERR_EXISTS, "link");
    check_ok(r->ctx, save_bytes(r->ctx, link, "abc\n", 4, 1));
    check_content(target, "abc\n");
    struct stat info;
    assert_int_equal(lstat(link, &info), 0);
    assert_true(S_ISLNK(info.st_mode));
}

/* A link that leads nowhere looks like a free place, but nothing may be replaced. */
static void through_a_dangling_link(void **state)
{
    const room *r = *state;
    const char *link = room_path(r, "link");
    assert_int_equal(symlink("nowhere", link), 0);
    check_failure(r->ctx, save_bytes(r->ctx, link, "abc\n", 4, 0), SGDMFT_ERR_EXISTS, "link");
    assert_int_equal(room_count(r), 1);
}

static void bad_places(void **state)
{
    const room *r = *state;
    room_write(room_path(r, "file"), "x");
    check_failure(r->ctx, save_check(r->ctx, room_path(r, "no/such"), 0), SGDMFT_ERR_IO, "does not exist");
    check_failure(r->ctx, save_bytes(r->ctx, room_path(r, "no/such"), "x", 1, 1), SGDMFT_ERR_IO, "does not exist");
    check_failure(r->ctx, save_check(r->ctx, room_path(r, "file/below"), 0), SGDMFT_ERR_IO, "not a directory");
    check_failure(r->ctx, save_check(r->ctx, r->directory, 1), SGDMFT_ERR_IO, "is a directory");
    check_failure(r->ctx, save_check(r->ctx, "", 1), SGDMFT_ERR_IO, "empty");
    assert_int_equal(room_count(r), 1);
}

/* A directory that may not be written to; the superuser may write anywhere, so it becomes nobody first. */
static void unwritable_directory(void **state)
{
    const room *r = *state;
    int superuser = geteuid() == 0;
    assert_int_equal(chmod(r->directory, 0555), 0);
    assert_int_equal(superuser ? seteuid(65534) : 0, 0);
    sgdmft_status status = save_bytes(r->ctx, room_path(r, "x.csv"), "abc\n", 4, 1);
    assert_int_equal(superuser ? seteuid(0) : 0, 0);
    assert_int_equal(chmod(r->directory, 0755), 0);
    check_failure(r->ctx, status, SGDMFT_ERR_IO, "ermi"); /* Permission denied, or not permitted */
    assert_int_equal(room_count(r), 0);
}

static void full_disk(void **state)
{
    const room *r = *state;
    check_failure(r->ctx, save_bytes(r->ctx, "/dev/full", "abc\n", 4, 0), SGDMFT_ERR_IO, "No space left");

    /* A limit on file sizes fails like a full disk, in the middle of the write. */
    struct rlimit before, small;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    small = before;
    small.rlim_cur = 1000;
    void (*handler)(int) = signal(SIGXFSZ, SIG_IGN);
    static char bytes[5000];
    memset(bytes, 'x', sizeof bytes);
    const char *path = room_path(r, "old.csv");
    room_write(path, "precious\n");
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    sgdmft_status fresh = save_bytes(r->ctx, room_path(r, "new.csv"), bytes, sizeof bytes, 0);
    sgdmft_status forced = save_bytes(r->ctx, path, bytes, sizeof bytes, 1);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    signal(SIGXFSZ, handler);
    assert_int_equal(fresh, SGDMFT_ERR_IO);
    check_failure(r->ctx, forced, SGDMFT_ERR_IO, "too large");
    check_content(path, "precious\n");
    assert_int_equal(room_count(r), 1);
}

static void in_pieces(void **state)
{
    const room *r = *state;
    const char *path = room_path(r, "long.csv"), *missing = room_path(r, "no/such.csv");
    save_output out;
    check_failure(r->ctx, save_open(r->ctx, missing, 0, &out), SGDMFT_ERR_IO, "does not exist");
    check_ok(r->ctx, save_open(r->ctx, path, 0, &out));
    fputs("abc\n", out.stream);
    check_ok(r->ctx, save_close(r->ctx, &out, 0)); /* changed our mind */
    assert_null(out.stream);
    assert_int_equal(room_count(r), 0);
    check_ok(r->ctx, save_open(r->ctx, path, 0, &out));
    fputs("abc\n", out.stream);
    fputs("def\n", out.stream);
    check_ok(r->ctx, save_close(r->ctx, &out, 1));
    check_content(path, "abc\ndef\n");
    check_failure(r->ctx, save_open(r->ctx, path, 0, &out), SGDMFT_ERR_EXISTS, "--force");
    check_ok(r->ctx, save_open(r->ctx, path, 1, &out));
    check_content(path, "abc\ndef\n"); /* until it is complete */
    fputs("ghi\n", out.stream);
    check_ok(r->ctx, save_close(r->ctx, &out, 1));
    check_content(path, "ghi\n");
    assert_int_equal(room_count(r), 1);
    const char *late = room_path(r, "late.csv");
    check_ok(r->ctx, save_open(r->ctx, late, 0, &out));
    room_write(late, "precious\n"); /* appears meanwhile */
    check_failure(r->ctx, save_close(r->ctx, &out, 1), SGDMFT_ERR_EXISTS, "late.csv");
    check_content(late, "precious\n");
    assert_int_equal(room_count(r), 2);
    check_ok(r->ctx, save_open(r->ctx, "/dev/full", 0, &out));
    fputs("abc\n", out.stream);
    check_failure(r->ctx, save_close(r->ctx, &out, 1), SGDMFT_ERR_IO, "No space left");
}

#define IN_ROOM(test) cmocka_unit_test_setup_teardown(test, room_enter, room_leave)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_ROOM(in_pieces),
        IN_ROOM(new_file),
        IN_ROOM(existing_file),
        IN_ROOM(through_a_link),
        IN_ROOM(through_a_dangling_link),
        IN_ROOM(bad_places),
        IN_ROOM(unwritable_directory),
        IN_ROOM(full_disk),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
