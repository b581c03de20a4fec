/*
 * payctl audit keygen and pubkey: the private key that signs seals, and the
 * public key for everyone who verifies them.
 */

#include "cli/args.h"
#include "cli/audit.h"
#include "cli/cli.h"
#include "cli/help.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include <openssl/rand.h>


static int key_make(const char *path);
static int key_write(const char *path, pay_str_t pem);
static int key_tell(const pay_secret_t *key, int with_pem);


const char  pay_cli_audit_keygen_usage[] =
    "usage: payctl audit keygen PRIVATE.pem\n"
    "Writes a new Ed25519 private key to a file that only you can read; a"
    " file\nthat is there is never written over.  Prints the key's id.\n";

const char  pay_cli_audit_pubkey_usage[] =
    "usage: payctl audit pubkey PRIVATE.pem > PUBLIC.pem\n"
    "Prints the public key that belongs to a private one, for payctl audit"
    "\nverify.  Keep the public keys of all times, away from the database.\n";


int
pay_cli_audit_keygen(int argc, char **argv)
{
    int          words;
    const char  *path = NULL;

    const pay_cli_option_t  options[] = { { NULL, NULL, NULL } };

    words = pay_cli_args(argc, argv, options, &path, 1);

    return words == 1 ? key_make(path)
                      : pay_cli_say_usage(words, pay_cli_audit_keygen_usage);
}


/* The text of the private key is wiped on every way out. */
int
pay_cli_audit_pubkey(int argc, char **argv)
{
    int             words, code = PAY_CLI_OK;
    pay_err_t       err = { .slug = NULL };
    pay_str_t       pem;
    const char     *path = NULL, *trouble;
    pay_secret_t    key;
    unsigned char   text[PAY_ED25519_PEM_MAX];

    const pay_cli_option_t  options[] = { { NULL, NULL, NULL } };

    words = pay_cli_args(argc, argv, options, &path, 1);
    if (words != 1) {
        return pay_cli_say_usage(words, pay_cli_audit_pubkey_usage);
    }

    trouble = pay_cli_audit_read(path, text, sizeof(text), &pem);

    if (trouble == NULL
        && pay_ed25519_read_private(pem, &key, &err) != PAY_OK)
    {
        trouble = err.detail != NULL ? err.detail : "out of memory";
    }

    explicit_bzero(text, sizeof(text));

    if (trouble != NULL) {
        return pay_cli_audit_complain(path, trouble);
    }

    /* stdout takes the PEM, so that it can be redirected into a file. */
    if (!key_tell(&key, 1)) {
        code = pay_cli_audit_complain(path, "libcrypto failed");
    }

    pay_secret_wipe(&key);

    return code;
}


/* Every buffer that has held the private key is wiped, on every way out. */
static int
key_make(const char *path)
{
    int             code;
    pay_secret_t    key, pem;
    unsigned char   seed[PAY_ED25519_KEY];

    if (RAND_priv_bytes(seed, sizeof(seed)) != 1
        || pay_secret_set(&key, (pay_str_t) { sizeof(seed), seed }) != PAY_OK
        || pay_ed25519_write_private(pay_secret_str(&key), &pem) != PAY_OK)
    {
        explicit_bzero(seed, sizeof(seed));
        return pay_cli_audit_complain("keygen", "libcrypto failed");
    }

    code = key_write(path, pay_secret_str(&pem));

    if (code == PAY_CLI_OK && !key_tell(&key, 0)) {
        code = pay_cli_audit_complain("keygen", "libcrypto failed");
    }

    explicit_bzero(seed, sizeof(seed));
    pay_secret_wipe(&key);
    pay_secret_wipe(&pem);

    return code;
}


/* O_EXCL never overwrites a key, which would orphan every seal that it has
 * signed, and 0400 is set when the file is made, not later.  Half a key is no
 * key: a file that could not be written whole is removed. */
static int
key_write(const char *path, pay_str_t pem)
{
    int  fd;

    fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0400);
    if (fd < 0) {
        return pay_cli_audit_complain(path, "cannot be created; it must not "
                                            "be there yet");
    }

    return pay_cli_audit_fill(fd, path, pem);
}


int
pay_cli_audit_fill(int fd, const char *path, pay_str_t text)
{
    int  whole;

    whole = write(fd, text.data, text.len) == (ssize_t) text.len
            && fsync(fd) == 0;

    if (close(fd) != 0 || !whole) {
        (void) unlink(path);
        return pay_cli_audit_complain(path, "cannot be written");
    }

    return PAY_CLI_OK;
}


/* The id goes to stderr when stdout takes the key. */
static int
key_tell(const pay_secret_t *key, int with_pem)
{
    int             done;
    char            id[PAY_ED25519_KEY_ID + 1];
    pay_str_t       pem;
    pay_heap_t     *heap = pay_heap_create();
    unsigned char   public_key[PAY_ED25519_KEY];

    done = heap != NULL && pay_ed25519_public(key, public_key) == PAY_OK
           && pay_ed25519_key_id(public_key, id) == PAY_OK
           && pay_ed25519_write_public(pay_heap_arena(heap), public_key, &pem)
              == PAY_OK;

    if (done) {
        fprintf(with_pem ? stderr : stdout, "key id %s\n", id);

        if (with_pem) {
            fwrite(pem.data, 1, pem.len, stdout);
        }
    }

    pay_heap_destroy(heap);

    return done;
}
