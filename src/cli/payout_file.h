/*
 * payctl payout file: payout_file.c lists and hands over to
 * payout_file_write.c, which claims items into a file and ends it,
 * payout_file_make.c, which makes its bytes, payout_file_disk.c, which gives
 * them a name, and payout_file_read.c, which reads the bank's answers.  Private
 * to src/cli.
 */

#ifndef PAY_SRC_CLI_PAYOUT_FILE_H
#define PAY_SRC_CLI_PAYOUT_FILE_H

#include "cli/help.h"
#include "pay_keyring.h"
#include "pay_payout.h"

#include <libpq-fe.h>


#define FILE_WHAT       "payout file"
#define FILE_ID         32             /* hexadecimal digits of a MsgId */
#define FILE_ITEMS_MAX  10000
#define FILE_DIGEST     (2 * PAY_SHA256_SIZE)
#define FILE_PLACE      160

/* The names of a file in its directory: while it is made, the one that the
 * bank's client takes, and when it is given up. */
typedef enum {
    FILE_PART = 0,
    FILE_FINAL,
    FILE_DROPPED
} file_name_t;

/* The directory; place is the host since its last boot, then the directory. */
typedef struct {
    int   fd;
    char  place[FILE_PLACE];
} file_dir_t;

/* An item that cannot be in the file, and why. */
typedef struct {
    const char  *payout_id;
    const char  *code;
} file_left_t;

/* A file that is being written.  Texts of options are borrowed. */
typedef struct {
    PGconn                *conn;
    const char            *merchant;
    const char            *provider;
    const char            *who;
    const char            *most;
    const char            *execute_on; /* NULL: the next bank day */
    pay_payout_account_t   account;    /* ours */
    pay_keyring_t          ring;
    file_dir_t             dir;
    char                   id[FILE_ID + 1];
    char                   sha256[FILE_DIGEST + 1];
    pay_payout_sums_t      sums;
    unsigned               left_count;
    file_left_t           *left;       /* in the arena */
    pay_arena_t           *arena;
} file_write_t;


/* The subcommands, with their own name in argv[0]; the exit code. */
int pay_cli_payout_file(int argc, char **argv);
int pay_cli_payout_file_write(int argc, char **argv);
int pay_cli_payout_file_read(int argc, char **argv);

/* Makes the bytes of the claimed file under its name FILE_PART, with their
 * digest and sums, and the list of items that are left out.  PAY_INVALID after
 * a complaint: nothing is there under any name. */
pay_status_t pay_cli_payout_file_make(file_write_t *file) PAY_MUST_CHECK;

/* Opens the directory, which must be writable; 0 after a complaint. */
int pay_cli_file_dir(const char *path, file_dir_t *dir);
/* 1 when a file is there under that name; with `sha256` (hexadecimal, or NULL)
 * one of those bytes alone. */
int pay_cli_file_is(const file_dir_t *dir, const char *id, file_name_t name,
    const char *sha256);
/* Its SHA-256, FILE_DIGEST hexadecimal digits and a NUL; 0: it is no file that
 * can be read. */
int pay_cli_file_digest(const file_dir_t *dir, const char *id,
    file_name_t name, char *hex);
/* A new file of mode 0600 under that name, or -1. */
int pay_cli_file_create(const file_dir_t *dir, const char *id,
    file_name_t name);
/* From one name to another that nothing has, durably; 0: not done, and errno
 * says why. */
int pay_cli_file_move(const file_dir_t *dir, const char *id,
    file_name_t from, file_name_t to);
/* Durably; a file that is not there is fine.  0: not done. */
int pay_cli_file_remove(const file_dir_t *dir, const char *id,
    file_name_t name);


#endif /* PAY_SRC_CLI_PAYOUT_FILE_H */
