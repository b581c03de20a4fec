/*
 * Names of a bank's file in its directory.  The bank's client takes *.xml: so a
 * file gets that name at once, whole, durable, and never in the place of
 * another one.  All names are opened relative to one descriptor: a directory
 * that is exchanged in between is another one.
 */

#define _GNU_SOURCE

#include "cli/payout_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/evp.h>


#define BOOT      "/proc/sys/kernel/random/boot_id"
#define BOOT_MAX  64
#define FILE_NAME 64
#define READ_MAX  65536


static int boot_id(char *text, size_t size);
static void name_of(const char *id, file_name_t name, char *text);
static int digest_of(int fd, char *hex);


int
pay_cli_file_dir(const char *path, file_dir_t *dir)
{
    char         boot[BOOT_MAX];
    struct stat  info;

    dir->fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (dir->fd == -1 || fstat(dir->fd, &info) != 0
        || faccessat(dir->fd, ".", W_OK | X_OK, 0) != 0)
    {
        fprintf(stderr, "payctl: " FILE_WHAT ": %s: %s\n", path,
                strerror(errno));
        return 0;
    }

    if (!boot_id(boot, sizeof(boot))) {
        fprintf(stderr, "payctl: " FILE_WHAT ": " BOOT ": cannot be read\n");
        return 0;
    }

    snprintf(dir->place, sizeof(dir->place), "%s %llx/%llx", boot,
             (unsigned long long) info.st_dev,
             (unsigned long long) info.st_ino);

    return 1;
}


/* A rename that the disk has not kept is undone by a loss of power, when the
 * bank's client may have seen it: behind a boot no name proves anything. */
static int
boot_id(char *text, size_t size)
{
    int    is_read;
    FILE  *file = fopen(BOOT, "r");

    is_read = file != NULL && fgets(text, (int) size, file) != NULL;

    if (file != NULL) {
        fclose(file);
    }

    text[is_read ? strcspn(text, "\n") : 0] = '\0';

    return is_read && text[0] != '\0';
}


static void
name_of(const char *id, file_name_t name, char *text)
{
    static const char *const  forms[] = {
        [FILE_PART] = ".%s.part", [FILE_FINAL] = "%s.xml",
        [FILE_DROPPED] = ".%s.dropped"
    };

    const char  *form = forms[name];
    size_t       before = (size_t) (strchr(form, '%') - form);

    snprintf(text, FILE_NAME, "%.*s%s%s", (int) before, form, id,
             form + before + 2);
}


int
pay_cli_file_is(const file_dir_t *dir, const char *id, file_name_t name,
    const char *sha256)
{
    char         text[FILE_NAME], hex[FILE_DIGEST + 1];
    struct stat  info;

    name_of(id, name, text);

    if (sha256 == NULL) {
        return fstatat(dir->fd, text, &info, AT_SYMLINK_NOFOLLOW) == 0;
    }

    return pay_cli_file_digest(dir, id, name, hex)
           && strcmp(hex, sha256) == 0;
}


static int
digest_of(int fd, char *hex)
{
    int             is_done;
    ssize_t         n = -1;
    unsigned        i, size = 0;
    EVP_MD_CTX     *context = EVP_MD_CTX_new();
    unsigned char   bytes[READ_MAX], digest[EVP_MAX_MD_SIZE];

    is_done = context != NULL
              && EVP_DigestInit_ex(context, EVP_sha256(), NULL) == 1;

    while (is_done && (n = read(fd, bytes, sizeof(bytes))) > 0) {
        is_done = EVP_DigestUpdate(context, bytes, (size_t) n) == 1;
    }

    is_done = is_done && n == 0
              && EVP_DigestFinal_ex(context, digest, &size) == 1;
    EVP_MD_CTX_free(context);

    for (i = 0; is_done && i < PAY_SHA256_SIZE; i++) {
        snprintf(hex + 2 * i, 3, "%02x", digest[i]);
    }

    return is_done;
}


int
pay_cli_file_digest(const file_dir_t *dir, const char *id, file_name_t name,
    char *hex)
{
    int   fd, is_done;
    char  text[FILE_NAME];

    name_of(id, name, text);
    fd = openat(dir->fd, text, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
    is_done = fd != -1 && digest_of(fd, hex);

    if (fd != -1) {
        close(fd);
    }

    return is_done;
}


/* A part of another process that died is not in the way. */
int
pay_cli_file_create(const file_dir_t *dir, const char *id, file_name_t name)
{
    char  text[FILE_NAME];

    name_of(id, name, text);
    unlinkat(dir->fd, text, 0);

    return openat(dir->fd, text, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW
                                 | O_CLOEXEC, 0600);
}


/* A file system without RENAME_NOREPLACE (sshfs): the name is a digest that
 * nobody else makes, so that looking before is enough there. */
int
pay_cli_file_move(const file_dir_t *dir, const char *id, file_name_t from,
    file_name_t to)
{
    int   done;
    char  old[FILE_NAME], made[FILE_NAME];

    name_of(id, from, old);
    name_of(id, to, made);
    done = renameat2(dir->fd, old, dir->fd, made, RENAME_NOREPLACE);

    if (done != 0 && (errno == EINVAL || errno == ENOSYS)
        && !pay_cli_file_is(dir, id, to, NULL))
    {
        done = renameat(dir->fd, old, dir->fd, made);
    }

    return done == 0 && fsync(dir->fd) == 0;
}


int
pay_cli_file_remove(const file_dir_t *dir, const char *id, file_name_t name)
{
    char  text[FILE_NAME];

    name_of(id, name, text);

    return (unlinkat(dir->fd, text, 0) == 0 || errno == ENOENT)
           && fsync(dir->fd) == 0;
}
