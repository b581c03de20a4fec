/*
 * The files of payctl init: the directory of secrets, the key that signs seals
 * with its public half, and the key that signs results for the first merchant.
 * A file that is there is never written.
 */

#include "cli/audit.h"
#include "cli/cli.h"
#include "cli/setup.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/evp.h>
#include <openssl/rand.h>


#define RESULT_KEY   48                /* random bytes, docs/storefront.md */
#define RESULT_TEXT  (RESULT_KEY / 3 * 4 + 2)


static int files_dir(const setup_t *setup, const char *name, mode_t mode,
    gid_t group);
static int files_audit(const setup_t *setup, gid_t group);
static int files_public(const setup_t *setup, const char *private_key);
static int public_write(const char *path, const pay_secret_t *key);
static int files_result(const setup_t *setup, gid_t group);
static int files_give(const char *path, gid_t group);
static int files_is_there(const char *path);
static int files_write(const char *path, mode_t mode, const void *bytes,
    size_t len);


/* nginx reads secrets as its own user in ngx-payments.service, by its group. */
int
pay_cli_init_files(const setup_t *setup)
{
    gid_t  group = pay_cli_setup_group(setup->user);

    if (group == (gid_t) -1) {
        fprintf(stderr, "payctl: init: no user \"%s\" here: install nginx, or"
                " name its user by --user\n", setup->user);
        return 0;
    }

    return files_dir(setup, "nginx", 0755, (gid_t) -1)
           && files_dir(setup, "nginx/tls", 0755, (gid_t) -1)
           && files_dir(setup, "nginx/secrets", 0750, group)
           && files_dir(setup, "payctl", 0755, (gid_t) -1)
           && files_audit(setup, group)
           && files_result(setup, group);
}


static int
files_dir(const setup_t *setup, const char *name, mode_t mode, gid_t group)
{
    char  path[SETUP_PATH];

    if (!pay_cli_setup_path(setup, name, path)) {
        return 0;
    }

    if (mkdir(path, mode) != 0) {
        if (errno == EEXIST) {
            return 1;
        }

        perror(path);
        return 0;
    }

    /* whatever the umask is */
    if (chmod(path, mode) != 0 || chown(path, (uid_t) -1, group) != 0) {
        perror(path);
        return 0;
    }

    printf("made      %s\n", path);

    return 1;
}


static int
files_audit(const setup_t *setup, gid_t group)
{
    char   path[SETUP_PATH], name[] = "audit keygen";
    char  *argv[] = { name, path, NULL };

    if (!pay_cli_setup_path(setup, "nginx/secrets/audit.pem", path)) {
        return 0;
    }

    if (files_is_there(path)) {
        printf("kept      %s\n", path);

    } else {
        printf("made      %s: ", path);
        fflush(stdout);

        if (pay_cli_audit_keygen(2, argv) != PAY_CLI_OK
            || !files_give(path, group))
        {
            return 0;
        }
    }

    return files_public(setup, path);
}


static int
files_public(const setup_t *setup, const char *private_key)
{
    int           done;
    char          path[SETUP_PATH];
    pay_secret_t  key;

    if (!pay_cli_setup_path(setup, "payctl/audit.pub.pem", path)) {
        return 0;
    }

    if (files_is_there(path)) {
        printf("kept      %s\n", path);
        return 1;
    }

    if (pay_cli_audit_private(private_key, &key) != PAY_CLI_OK) {
        return 0;
    }

    done = public_write(path, &key);
    pay_secret_wipe(&key);

    return done;
}


static int
public_write(const char *path, const pay_secret_t *key)
{
    int             done;
    pay_str_t       pem;
    pay_heap_t     *heap = pay_heap_create();
    unsigned char   public_key[PAY_ED25519_KEY];

    done = heap != NULL && pay_ed25519_public(key, public_key) == PAY_OK
           && pay_ed25519_write_public(pay_heap_arena(heap), public_key, &pem)
              == PAY_OK;

    if (!done) {
        fputs("payctl: init: libcrypto failed\n", stderr);

    } else {
        done = files_write(path, 0444, pem.data, pem.len);
    }

    pay_heap_destroy(heap);

    return done;
}


static int
files_result(const setup_t *setup, gid_t group)
{
    int             len, done;
    char            name[SETUP_PATH], path[SETUP_PATH];
    unsigned char   key[RESULT_KEY], text[RESULT_TEXT];

    snprintf(name, sizeof(name), "nginx/secrets/%.200s.result",
             setup->merchant);

    if (!pay_cli_setup_path(setup, name, path)) {
        return 0;
    }

    if (files_is_there(path)) {
        printf("kept      %s\n", path);
        return 1;
    }

    if (RAND_priv_bytes(key, sizeof(key)) != 1) {
        fputs("payctl: init: libcrypto failed\n", stderr);
        return 0;
    }

    len = EVP_EncodeBlock(text, key, sizeof(key));
    text[len] = '\n';
    done = files_write(path, 0400, text, (size_t) len + 1)
           && files_give(path, group);

    explicit_bzero(key, sizeof(key));
    explicit_bzero(text, sizeof(text));

    return done;
}


/* root's, and readable by the group. */
static int
files_give(const char *path, gid_t group)
{
    int  fd, done;

    fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    done = fd >= 0 && fchown(fd, (uid_t) -1, group) == 0
           && fchmod(fd, 0440) == 0;

    if (!done) {
        perror(path);
    }

    if (fd >= 0) {
        close(fd);
    }

    return done;
}


static int
files_is_there(const char *path)
{
    struct stat  info;

    return lstat(path, &info) == 0;
}


static int
files_write(const char *path, mode_t mode, const void *bytes, size_t len)
{
    int  fd, whole;

    fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
    if (fd < 0) {
        perror(path);
        return 0;
    }

    whole = write(fd, bytes, len) == (ssize_t) len && fchmod(fd, mode) == 0
            && fsync(fd) == 0;

    if (close(fd) != 0 || !whole) {
        perror(path);
        (void) unlink(path);
        return 0;
    }

    printf("made      %s\n", path);

    return 1;
}
