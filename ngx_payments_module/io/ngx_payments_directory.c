/*
 * Files that others put into a directory: which one is read next, and where it
 * goes behind that.  Only regular files right below the directory count, and
 * no symbolic link is followed, so that nobody who may write there has another
 * file read or moved.
 */

#include "io/ngx_payments_directory.h"


#define ENTRIES_MAX  4096              /* of one look */
#define FOLDER_MODE  0750


static int dir_open(const ngx_str_t *dir);
static ngx_uint_t is_whole_name(const char *name);
static ngx_uint_t is_readable(int dir, const char *name);
static ngx_uint_t goes_first(const struct stat *a, const char *a_name,
    const struct stat *b, const u_char *b_name);
static ngx_int_t is_still(int dir, const u_char *name,
    const struct stat *opened);


ngx_int_t
ngx_payments_directory_next(const ngx_str_t *dir, time_t age_s,
    u_char name[NGX_PAYMENTS_NAME_MAX + 1])
{
    int             fd;
    DIR            *stream;
    ngx_int_t       rc = NGX_DECLINED;
    ngx_uint_t      n, readable, first_readable = 0;
    struct stat     fi, first;
    struct dirent  *entry;

    fd = dir_open(dir);
    if (fd == -1) {
        return NGX_ERROR;
    }

    ngx_memzero(&first, sizeof(struct stat));

    stream = fdopendir(fd);
    if (stream == NULL) {
        (void) close(fd);
        return NGX_ERROR;
    }

    for (n = 0; n < ENTRIES_MAX; n++) {
        entry = readdir(stream);
        if (entry == NULL) {
            break;
        }

        if (!is_whole_name(entry->d_name)
            || fstatat(fd, entry->d_name, &fi, AT_SYMLINK_NOFOLLOW) != 0
            || !S_ISREG(fi.st_mode) || fi.st_mtime + age_s > ngx_time())
        {
            continue;
        }

        readable = is_readable(fd, entry->d_name);

        if (rc == NGX_DECLINED || readable > first_readable
            || (readable == first_readable
                && goes_first(&fi, entry->d_name, &first, name)))
        {
            first = fi;
            first_readable = readable;
            (void) ngx_cpystrn(name, (u_char *) entry->d_name,
                               NGX_PAYMENTS_NAME_MAX + 1);
            rc = NGX_OK;
        }
    }

    (void) closedir(stream);

    return rc;
}


static int
dir_open(const ngx_str_t *dir)
{
    return open((const char *) dir->data,
                O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}


/* SFTP servers, and operators, rename a file when it is whole. */
static ngx_uint_t
is_whole_name(const char *name)
{
    size_t              i, size, len = ngx_strlen(name);
    static const char  *unfinished[] = { ".part", ".tmp", ".filepart" };

    if (name[0] == '.' || len > NGX_PAYMENTS_NAME_MAX) {
        return 0;
    }

    for (i = 0; i < sizeof(unfinished) / sizeof(unfinished[0]); i++) {
        size = ngx_strlen(unfinished[i]);

        if (len >= size
            && ngx_strcmp(name + len - size, unfinished[i]) == 0)
        {
            return 0;
        }
    }

    return 1;
}


/* A file that this process may not read holds up no other one. */
static ngx_uint_t
is_readable(int dir, const char *name)
{
    return faccessat(dir, name, R_OK, AT_EACCESS) == 0;
}


static ngx_uint_t
goes_first(const struct stat *a, const char *a_name, const struct stat *b,
    const u_char *b_name)
{
    return a->st_mtime != b->st_mtime ? a->st_mtime < b->st_mtime
           : ngx_strcmp(a_name, b_name) < 0;
}


ngx_fd_t
ngx_payments_directory_open(const ngx_str_t *dir, const u_char *name,
    struct stat *fi)
{
    int  fd, file;

    fd = dir_open(dir);
    if (fd == -1) {
        return NGX_INVALID_FILE;
    }

    /* a FIFO in its place would stop the worker */
    file = openat(fd, (const char *) name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK
                                           | O_NOCTTY | O_CLOEXEC);
    (void) close(fd);

    if (file != -1 && (fstat(file, fi) != 0 || !S_ISREG(fi->st_mode))) {
        (void) close(file);
        return NGX_INVALID_FILE;
    }

    return file;
}


ngx_int_t
ngx_payments_directory_move(const ngx_str_t *dir, const u_char *name,
    const struct stat *opened, const char *folder, const char *suffix)
{
    int          fd, into;
    u_char       to[NGX_PAYMENTS_NAME_MAX + 1];
    ngx_int_t    rc;
    struct stat  fi;

    fd = dir_open(dir);
    if (fd == -1) {
        return NGX_ERROR;
    }

    (void) mkdirat(fd, folder, FOLDER_MODE);
    into = openat(fd, folder, O_RDONLY | O_DIRECTORY | O_NOFOLLOW
                              | O_CLOEXEC);
    if (into == -1) {
        (void) close(fd);
        return NGX_ERROR;
    }

    (void) ngx_cpystrn(to, (u_char *) name, sizeof(to));

    if (fstatat(into, (char *) to, &fi, AT_SYMLINK_NOFOLLOW) == 0) {
        (void) ngx_snprintf(to, sizeof(to), "%*s.%s%Z",
                            ngx_min(ngx_strlen(name), sizeof(to) - 2
                                                      - ngx_strlen(suffix)),
                            name, suffix);
    }

    rc = is_still(fd, name, opened);

    if (rc == NGX_OK
        && renameat(fd, (const char *) name, into, (char *) to) != 0)
    {
        rc = NGX_ERROR;
    }

    (void) close(into);
    (void) close(fd);

    return rc;
}


/* A sender may rename another file to the name, or append to this one, while
 * it is read: those bytes were not read and must not be put away.  The opened
 * file keeps its inode, so that no other file can have its number. */
static ngx_int_t
is_still(int dir, const u_char *name, const struct stat *opened)
{
    struct stat  fi;

    if (fstatat(dir, (const char *) name, &fi, AT_SYMLINK_NOFOLLOW) != 0) {
        return NGX_ERROR;
    }

    return fi.st_dev == opened->st_dev && fi.st_ino == opened->st_ino
           && fi.st_size == opened->st_size
           && fi.st_mtim.tv_sec == opened->st_mtim.tv_sec
           && fi.st_mtim.tv_nsec == opened->st_mtim.tv_nsec
           ? NGX_OK : NGX_DECLINED;
}
