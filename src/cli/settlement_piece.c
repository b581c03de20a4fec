/*
 * The encrypted copy of a settlement file: import --keyring seals it in pieces
 * while it reads the file, in the transaction that keeps the rows, and copy
 * writes the bytes out again.  A piece is authentic before a byte of it is
 * written, and the whole is compared with the digest of the file.
 */

#include "cli/args.h"
#include "cli/cli.h"
#include "cli/db.h"
#include "cli/help.h"
#include "cli/keyring.h"
#include "cli/settlement.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rand.h>


/* A copy on its way in; the digest is that of the bytes that are read now. */
typedef struct {
    PGconn             *conn;
    const char         *file_id;
    const char         *attempt;
    EVP_MD_CTX         *digest;
    pay_settle_copy_t   copy;
    unsigned char       text[PAY_COPY_PIECE];
    unsigned char       sealed[PAY_COPY_SEALED];
} keep_t;

/* One on its way out. */
typedef struct {
    PGconn         *conn;
    const char     *file_id;
    pay_keyring_t   ring;
    char            attempt[24];
    int64_t         pieces;
    int             is_whole;
    int             is_pulled;         /* the digest is that of its name */
    unsigned char   sha256[PAY_SHA256_SIZE];
    EVP_MD_CTX     *digest;
    unsigned char   plain[PAY_COPY_PIECE];
} write_t;


static int keep_file(keep_t *keep, FILE *file);
static int keep_piece(keep_t *keep, int is_last);
static int keep_store(keep_t *keep, int64_t number, int is_last, size_t len,
    const unsigned char *nonce);
static int digest_is(EVP_MD_CTX *digest, const unsigned char *sha256);
static int copy_write(const char *dsn, const char *path, const char *file_id);
static int write_all(write_t *write);
static int write_find(write_t *write);
static int write_piece(write_t *write, int64_t number);
static int write_open(write_t *write, int64_t number, const PGresult *row);
static int write_say(const write_t *write, int64_t number, const char *what);


const char  pay_cli_settlement_copy_usage[] =
    "usage: payctl settlement copy [--dsn DSN] --file ID --keyring FILE\n"
    "\n"
    "Writes the bytes of a settlement file to stdout, out of its encrypted"
    " copy.  ID is\nthe first column of payctl settlement files; the keyring is"
    " that of\npayments_keyring.  Exit code 0: all bytes, as they were"
    " imported; 1: they are not\nthose, or cannot be had: what was written"
    " then is not the file.\nNeeds the role payments_operator.\n";

static const char  keep_sql[] =
    "SELECT pay_ops.keep_settlement($1::bigint, $2::bigint, $3::bigint,"
    " $4::boolean, $5, $6::bytea, $7::bytea)";

static const char  find_sql[] =
    "SELECT encode(c.sha256, 'hex'), c.attempt, c.pieces, c.is_whole,"
    " c.is_pulled FROM pay_ops.copied_settlement($1::bigint) c"
    " WHERE c.name IS NOT NULL";

static const char  read_sql[] =
    "SELECT p.is_last, p.kid, p.nonce, p.bytes"
    " FROM pay_ops.settlement_piece($1::bigint, $2::bigint, $3::bigint) p"
    " WHERE p.kid IS NOT NULL";


int
pay_cli_settlement_keep(const settlement_copy_t *rows,
    const pay_keyring_t *ring, const char *sha256, FILE *file)
{
    int             is_kept;
    keep_t         *keep = calloc(1, sizeof(*keep));
    unsigned char   digest[PAY_SHA256_SIZE];

    if (keep == NULL
        || pay_hex_decode(pay_str_of(sha256), digest, sizeof(digest))
           != PAY_OK)
    {
        free(keep);
        return 0;
    }

    keep->conn = rows->conn;
    keep->file_id = rows->file_id;
    keep->attempt = rows->attempt;
    keep->digest = EVP_MD_CTX_new();
    pay_settle_copy_begin(&keep->copy, ring, digest);

    is_kept = keep->digest != NULL
              && EVP_DigestInit_ex(keep->digest, EVP_sha256(), NULL) == 1
              && keep_file(keep, file);

    if (is_kept && !digest_is(keep->digest, digest)) {
        fprintf(stderr, "payctl: settlement import: the file was changed while"
                " it was read\n");
        is_kept = 0;
    }

    EVP_MD_CTX_free(keep->digest);
    OPENSSL_cleanse(keep, sizeof(*keep));
    free(keep);

    return is_kept && fseek(file, 0, SEEK_SET) == 0;
}


static int
keep_file(keep_t *keep, FILE *file)
{
    size_t     n, taken;
    pay_str_t  bytes;

    while ((n = fread(keep->text, 1, sizeof(keep->text), file)) > 0) {
        if (EVP_DigestUpdate(keep->digest, keep->text, n) != 1) {
            return 0;
        }

        bytes = (pay_str_t) { n, keep->text };

        while (bytes.len > 0) {
            taken = pay_settle_copy_take(&keep->copy, bytes);
            bytes.data += taken;
            bytes.len -= taken;

            if (bytes.len > 0 && !keep_piece(keep, 0)) {
                return 0;
            }
        }
    }

    return !ferror(file) && keep_piece(keep, 1);
}


static int
keep_piece(keep_t *keep, int is_last)
{
    size_t          len;
    int64_t         number;
    unsigned char   nonce[PAY_KEYRING_NONCE];

    if (RAND_bytes(nonce, sizeof(nonce)) != 1
        || pay_settle_copy_seal(&keep->copy, nonce, is_last, keep->sealed,
                                &number, &len) != PAY_OK)
    {
        fprintf(stderr, "payctl: settlement import: libcrypto failed\n");
        return 0;
    }

    return keep_store(keep, number, is_last, len, nonce);
}


static int
keep_store(keep_t *keep, int64_t number, int is_last, size_t len,
    const unsigned char *nonce)
{
    int        is_kept;
    char       text[24];
    PGresult  *result;

    const char *const  values[] = {
        keep->file_id, keep->attempt, text, is_last ? "t" : "f",
        (const char *) pay_keyring_kid(keep->copy.ring).data,
        (const char *) nonce, (const char *) keep->sealed
    };
    const int          lengths[] = { 0, 0, 0, 0, 0, PAY_KEYRING_NONCE,
                                     (int) len };

    static const int   formats[] = { 0, 0, 0, 0, 0, 1, 1 };

    snprintf(text, sizeof(text), "%" PRId64, number);
    result = PQexecParams(keep->conn, keep_sql, 7, NULL, values, lengths,
                          formats, 0);
    is_kept = PQresultStatus(result) == PGRES_TUPLES_OK;

    if (!is_kept) {
        fprintf(stderr, "payctl: settlement import: %s",
                PQerrorMessage(keep->conn));
    }

    PQclear(result);

    return is_kept;
}


static int
digest_is(EVP_MD_CTX *digest, const unsigned char *sha256)
{
    unsigned char  found[EVP_MAX_MD_SIZE];

    return EVP_DigestFinal_ex(digest, found, NULL) == 1
           && memcmp(found, sha256, PAY_SHA256_SIZE) == 0;
}


int
pay_cli_settlement_copy(int argc, char **argv)
{
    int          words;
    const char  *dsn = NULL, *file_id = NULL, *keyring = NULL;

    const pay_cli_option_t  options[] = {
        { "--dsn", &dsn, NULL },
        { "--file", &file_id, NULL },
        { "--keyring", &keyring, NULL },
        { NULL, NULL, NULL }
    };

    words = pay_cli_args(argc, argv, options, NULL, 0);

    if (words != 0) {
        return pay_cli_say_usage(words, pay_cli_settlement_copy_usage);
    }

    if (file_id == NULL || keyring == NULL
        || strspn(file_id, "0123456789") != strlen(file_id)
        || strlen(file_id) - 1 > 17)
    {
        return pay_cli_misuse(pay_cli_settlement_copy_usage,
                              keyring == NULL ? "no --keyring"
                              : "--file takes the number of a file");
    }

    return copy_write(dsn, keyring, file_id);
}


static int
copy_write(const char *dsn, const char *path, const char *file_id)
{
    int       code = PAY_CLI_USAGE;
    write_t  *write = calloc(1, sizeof(*write));

    if (write == NULL
        || !pay_cli_keyring("settlement copy", path, &write->ring))
    {
        free(write);
        return PAY_CLI_USAGE;
    }

    write->file_id = file_id;
    write->conn = pay_cli_connect(dsn);
    write->digest = EVP_MD_CTX_new();

    if (write->conn != NULL && write->digest != NULL
        && EVP_DigestInit_ex(write->digest, EVP_sha256(), NULL) == 1)
    {
        code = write_all(write);
    }

    PQfinish(write->conn);
    EVP_MD_CTX_free(write->digest);
    OPENSSL_cleanse(write, sizeof(*write));
    free(write);

    return code;
}


static int
write_all(write_t *write)
{
    int      code = write_find(write);
    int64_t  number;

    for (number = 1; code == PAY_CLI_OK && number <= write->pieces; number++) {
        code = write_piece(write, number);
    }

    if (code == PAY_CLI_OK && fflush(stdout) != 0) {
        fprintf(stderr, "payctl: settlement copy: stdout takes no more\n");
        code = PAY_CLI_USAGE;
    }

    if (code == PAY_CLI_OK && !write->is_pulled
        && !digest_is(write->digest, write->sha256))
    {
        fprintf(stderr, "payctl: settlement copy: file %s: the bytes have"
                " another digest than the file\n", write->file_id);
        code = PAY_CLI_NO;
    }

    return code;
}


static int
write_find(write_t *write)
{
    int        code = PAY_CLI_NO;
    PGresult  *row = pay_cli_query(write->conn, "settlement copy", find_sql, 1,
                                   &write->file_id);

    if (row == NULL) {
        return PAY_CLI_USAGE;
    }

    if (PQntuples(row) == 0
        || pay_hex_decode(pay_str_of(PQgetvalue(row, 0, 0)), write->sha256,
                          sizeof(write->sha256)) != PAY_OK)
    {
        fprintf(stderr, "payctl: settlement copy: there is no file %s, see"
                " payctl settlement files\n", write->file_id);

    } else if (PQgetvalue(row, 0, 3)[0] != 't') {
        fprintf(stderr, "payctl: settlement copy: file %s: %s\n",
                write->file_id, strcmp(PQgetvalue(row, 0, 2), "0") == 0
                ? "no copy of it is kept"
                : "its copy is not whole: it was refused or broke off before"
                  " its end, or is being read or purged");

    } else {
        snprintf(write->attempt, sizeof(write->attempt), "%s",
                 PQgetvalue(row, 0, 1));
        write->pieces = strtoll(PQgetvalue(row, 0, 2), NULL, 10);
        write->is_pulled = PQgetvalue(row, 0, 4)[0] == 't';
        code = PAY_CLI_OK;
    }

    PQclear(row);

    return code;
}


static int
write_piece(write_t *write, int64_t number)
{
    int        code;
    char       text[24];
    PGresult  *row;

    const char *const  values[] = { write->file_id, write->attempt, text };

    snprintf(text, sizeof(text), "%" PRId64, number);
    row = PQexecParams(write->conn, read_sql, 3, NULL, values, NULL, NULL, 1);

    if (PQresultStatus(row) != PGRES_TUPLES_OK) {
        fprintf(stderr, "payctl: settlement copy: %s",
                PQerrorMessage(write->conn));
        code = PAY_CLI_USAGE;

    } else if (PQntuples(row) != 1
               || PQgetlength(row, 0, 2) != PAY_KEYRING_NONCE)
    {
        code = write_say(write, number, "it is gone");

    } else {
        code = write_open(write, number, row);
    }

    PQclear(row);

    return code;
}


static int
write_open(write_t *write, int64_t number, const PGresult *row)
{
    size_t              len;
    pay_settle_piece_t  piece;

    memset(&piece, 0, sizeof(piece));
    piece.number = number;
    piece.is_last = PQgetvalue(row, 0, 0)[0] != '\0';
    piece.kid = pay_str_of(PQgetvalue(row, 0, 1));
    memcpy(piece.nonce, PQgetvalue(row, 0, 2), sizeof(piece.nonce));
    piece.bytes.data = (const unsigned char *) PQgetvalue(row, 0, 3);
    piece.bytes.len = (size_t) PQgetlength(row, 0, 3);

    /* a piece says itself whether it is the last one: the copy must end there
     * and nowhere else */
    if (piece.is_last != (number == write->pieces)) {
        return write_say(write, number, "the last one is not at the end");
    }

    switch (pay_settle_copy_open(&write->ring, write->sha256, &piece,
                                 write->plain, &len))
    {
    case PAY_OK:
        break;

    case PAY_NOT_FOUND:
        fprintf(stderr, "payctl: settlement copy: file %s, piece %" PRId64
                ": the keyring has no key \"%s\": put its line into the file,"
                " behind the first\n", write->file_id, number,
                PQgetvalue(row, 0, 1));
        return PAY_CLI_NO;

    default:
        return write_say(write, number, "it is not as it was sealed: another"
                         " key has this name, or it was tampered with");
    }

    if (EVP_DigestUpdate(write->digest, write->plain, len) != 1
        || fwrite(write->plain, 1, len, stdout) != len)
    {
        fprintf(stderr, "payctl: settlement copy: stdout takes no more\n");
        return PAY_CLI_USAGE;
    }

    return PAY_CLI_OK;
}


static int
write_say(const write_t *write, int64_t number, const char *what)
{
    fprintf(stderr, "payctl: settlement copy: file %s, piece %" PRId64
            ": %s\n", write->file_id, number, what);

    return PAY_CLI_NO;
}
