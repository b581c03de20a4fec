/*
 * payctl proof: all that a dispute about an order needs, as one signed file and
 * as a page, out of pay_ops.make_proof() (payments_operator); and its
 * verification, which needs no database.
 */

#include "cli/args.h"
#include "cli/audit.h"
#include "cli/cli.h"
#include "cli/db.h"
#include "cli/find.h"
#include "cli/help.h"
#include "cli/proof.h"
#include "cli/table.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <fcntl.h>
#include <unistd.h>

#include "pay_proof.h"


typedef struct {
    /* of make */
    const char       *dsn;
    const char       *merchant;
    const char       *key;
    const char       *out;
    const char       *html;
    /* of verify */
    const char       *path;
    size_t            key_count;
    pay_audit_key_t   keys[PAY_AUDIT_KEYS_MAX];
} proof_args_t;


static int proof_make(int argc, char **argv);
static int proof_of(const proof_args_t *args, PGconn *conn, const char *name);
static int proof_order(PGconn *conn, const char *name, const char *merchant,
    PGresult **order);
static int proof_write(const proof_args_t *args, pay_arena_t *arena,
    pay_str_t document);
static int proof_file(const char *path, pay_str_t text);
static int proof_verify(int argc, char **argv);
static int proof_check(const proof_args_t *args, pay_arena_t *arena);
static int proof_read(const char *path, pay_arena_t *arena, pay_str_t *text);
static int proof_page(const char *path, const pay_json_t *document);
static FILE *proof_open(const char *path);
static int proof_complain(const char *subject, const char *why);


const char  pay_cli_proof_usage[] =
    "usage: payctl proof [--dsn DSN] [--merchant ID] NAME --key PRIVATE.pem\n"
    "                    [--out FILE] [--html FILE]\n"
    "       payctl proof verify FILE --pub PUBLIC.pem ... [--html FILE]\n"
    "\n"
    "Writes all that a dispute about an order needs, signed with the key of\n"
    "the event log's seals: the order, the buyer's details as far as they are\n"
    "kept, results of 3-D Secure, the PSP's codes, delivery, changes,\n"
    "disputes, ledger lines, and the order's events with the paths from them\n"
    "to the roots of sealed Merkle trees.  NAME is an order, or a name of\n"
    "payctl find that leads to one.  --html writes a page to print.  No file\n"
    "that is there is written over.  It needs the role payments_operator.\n"
    "verify needs no database; --pub names the public key, and those of the\n"
    "seals, if there were others.\n"
    "Exit code 0: done; 1: no such order; 2: not tried.  Of verify, 0: valid;"
    " 1:\ninvalid, and why; 2: not checked.\n";

static const char  order_sql[] =
    "SELECT merchant_id, payment_order_id FROM pay.payment_order"
    " WHERE payment_order_id = $1 AND merchant_id = coalesce($2, merchant_id)";


int
pay_cli_proof(int argc, char **argv)
{
    return argc > 1 && strcmp(argv[1], "verify") == 0
           ? proof_verify(argc - 1, argv + 1) : proof_make(argc, argv);
}


static int
proof_make(int argc, char **argv)
{
    int            words, code;
    PGconn        *conn;
    const char    *name = NULL;
    proof_args_t   args = { .dsn = NULL };

    const pay_cli_option_t  options[] = {
        { "--dsn", &args.dsn, NULL },
        { "--merchant", &args.merchant, NULL },
        { "--key", &args.key, NULL },
        { "--out", &args.out, NULL },
        { "--html", &args.html, NULL },
        { NULL, NULL, NULL }
    };

    words = pay_cli_args(argc, argv, options, &name, 1);
    if (words < 0) {
        return pay_cli_say_usage(words, pay_cli_proof_usage);
    }

    if (name == NULL || args.key == NULL) {
        return pay_cli_misuse(pay_cli_proof_usage, name == NULL
                              ? "proof needs a NAME, or verify"
                              : "proof needs --key, the private key");
    }

    conn = pay_cli_connect(args.dsn);
    if (conn == NULL) {
        return PAY_CLI_USAGE;
    }

    code = proof_of(&args, conn, name);
    PQfinish(conn);

    return code;
}


static int
proof_of(const proof_args_t *args, PGconn *conn, const char *name)
{
    int          code = PAY_CLI_USAGE;
    PGresult    *order = NULL, *made = NULL;
    pay_heap_t  *heap = pay_heap_create();
    const char  *values[2];

    if (heap != NULL) {
        code = proof_order(conn, name, args->merchant, &order);
    }

    if (order != NULL) {
        values[0] = PQgetvalue(order, 0, 0);
        values[1] = PQgetvalue(order, 0, 1);
        made = pay_cli_query(conn, "proof",
                             "SELECT pay_ops.make_proof($1, $2)", 2, values);
        code = PAY_CLI_USAGE;
    }

    if (made != NULL) {
        code = proof_write(args, pay_heap_arena(heap), (pay_str_t) {
            (size_t) PQgetlength(made, 0, 0),
            (unsigned char *) PQgetvalue(made, 0, 0) });
    }

    PQclear(made);
    PQclear(order);
    pay_heap_destroy(heap);

    return code;
}


/* One order; else NULL and the exit code, after a complaint. */
static int
proof_order(PGconn *conn, const char *name, const char *merchant,
    PGresult **order)
{
    int          code = PAY_CLI_OK;
    PGresult    *rows;
    const char  *values[2] = { name, merchant };

    rows = pay_cli_query(conn, "proof", order_sql, 2, values);

    if (rows == NULL) {
        return PAY_CLI_USAGE;
    }

    if (PQntuples(rows) == 0) {
        PQclear(rows);
        code = pay_cli_resolve(conn, name, merchant, &rows);
    }

    if (rows != NULL && PQntuples(rows) > 1) {
        pay_cli_table(rows);
        (void) proof_complain(name, "that leads to several orders: name one of"
                              " them, with its --merchant");
        PQclear(rows);
        rows = NULL;
        code = PAY_CLI_NO;
    }

    *order = rows;

    return code;
}


/* The page is made of the signed bytes, so that both say the same. */
static int
proof_write(const proof_args_t *args, pay_arena_t *arena, pay_str_t document)
{
    int            done;
    pay_err_t      err;
    pay_str_t      text;
    pay_json_t    *json;
    pay_secret_t   key;
    pay_status_t   status;

    static const pay_json_limits_t  limits = {
        PAY_PROOF_MAX, 24, 65536, 1024 * 1024
    };

    if (pay_cli_audit_private(args->key, &key) != PAY_CLI_OK) {
        return PAY_CLI_USAGE;
    }

    status = pay_proof_sign(arena, document, &key, &text);
    pay_secret_wipe(&key);

    if (status != PAY_OK) {
        return proof_complain("proof", "it cannot be signed");
    }

    if (!proof_file(args->out, text)) {
        return PAY_CLI_USAGE;
    }

    if (args->html == NULL) {
        return PAY_CLI_OK;
    }

    if (pay_json_parse(document, &limits, &json, &err) != PAY_OK) {
        return proof_complain("proof", "its document cannot be read");
    }

    done = proof_page(args->html, json);
    pay_json_free(json);

    return done ? PAY_CLI_OK : PAY_CLI_USAGE;
}


/* path NULL: to stdout. */
static int
proof_file(const char *path, pay_str_t text)
{
    int    done;
    FILE  *file;

    if (path == NULL) {
        done = fwrite(text.data, 1, text.len, stdout) == text.len
               && fflush(stdout) == 0;

    } else {
        file = proof_open(path);

        if (file == NULL) {
            return 0;
        }

        done = fwrite(text.data, 1, text.len, file) == text.len;
        done = fclose(file) == 0 && done;
    }

    if (!done) {
        (void) proof_complain(path != NULL ? path : "stdout",
                              "cannot be written");
    }

    return done;
}


/* --pub may be repeated, so that pay_cli_args() does not fit here. */
static int
proof_verify(int argc, char **argv)
{
    int            i, code;
    pay_heap_t    *heap;
    proof_args_t   args = { .key_count = 0 };

    for (i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0) {
            return pay_cli_say_usage(PAY_CLI_HELP, pay_cli_proof_usage);
        }

        if (strcmp(argv[i], "--pub") == 0 && i + 1 < argc
            && args.key_count < PAY_AUDIT_KEYS_MAX)
        {
            if (pay_cli_audit_public(argv[++i], &args.keys[args.key_count++])
                != PAY_CLI_OK)
            {
                return PAY_CLI_USAGE;
            }

        } else if (strcmp(argv[i], "--html") == 0 && i + 1 < argc) {
            args.html = argv[++i];

        } else if (argv[i][0] != '-' && args.path == NULL) {
            args.path = argv[i];

        } else {
            return pay_cli_misuse(pay_cli_proof_usage, "proof verify takes a"
                                  " FILE, --pub and --html, not \"%s\"",
                                  argv[i]);
        }
    }

    if (args.path == NULL || args.key_count == 0) {
        return pay_cli_misuse(pay_cli_proof_usage, "proof verify needs a FILE"
                              " and --pub");
    }

    heap = pay_heap_create();
    if (heap == NULL) {
        return PAY_CLI_USAGE;
    }

    code = proof_check(&args, pay_heap_arena(heap));
    pay_heap_destroy(heap);

    return code;
}


static int
proof_check(const proof_args_t *args, pay_arena_t *arena)
{
    int            code = PAY_CLI_OK;
    pay_err_t      err = { .detail = NULL };
    pay_str_t      text;
    pay_proof_t    proof;
    pay_status_t   status;

    if (!proof_read(args->path, arena, &text)) {
        return PAY_CLI_USAGE;
    }

    status = pay_proof_check(arena, text, args->keys, args->key_count, &proof,
                             &err);

    if (status == PAY_INVALID) {
        printf("invalid: %s\n", err.detail);
        return PAY_CLI_NO;
    }

    if (status != PAY_OK) {
        return proof_complain(args->path, "no memory");
    }

    printf("order     %.*s of %.*s\nmade at   %.*s\nevents    %" PRIu64
           ", of which %" PRIu64 " are sealed by %" PRIu64 " seals\nvalid\n",
           pay_fmt(proof.payment_order_id), pay_fmt(proof.merchant_id),
           pay_fmt(proof.made_at), proof.events, proof.sealed, proof.seals);

    if (args->html != NULL && !proof_page(args->html, proof.json)) {
        code = PAY_CLI_USAGE;
    }

    pay_proof_free(&proof);

    return code;
}


static int
proof_read(const char *path, pay_arena_t *arena, pay_str_t *text)
{
    size_t          len;
    FILE           *file = fopen(path, "rb");
    unsigned char  *data;

    if (file == NULL) {
        (void) proof_complain(path, strerror(errno));
        return 0;
    }

    /* one byte more: a file that is too long is noticed */
    data = pay_alloc(arena, PAY_PROOF_MAX + 1);
    len = data != NULL ? fread(data, 1, PAY_PROOF_MAX + 1, file) : 0;

    if (data == NULL || ferror(file)) {
        (void) proof_complain(path, "cannot be read");
        (void) fclose(file);
        return 0;
    }

    (void) fclose(file);
    *text = (pay_str_t) { len, data };

    return 1;
}


static int
proof_page(const char *path, const pay_json_t *document)
{
    int    done;
    FILE  *file = proof_open(path);

    if (file == NULL) {
        return 0;
    }

    done = pay_cli_proof_html(file, document);
    done = fclose(file) == 0 && done;

    if (!done) {
        (void) proof_complain(path, "cannot be written");
    }

    return done;
}


/* A buyer's details are in it: nobody else may read the file. */
static FILE *
proof_open(const char *path)
{
    int    handle = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    FILE  *file = handle >= 0 ? fdopen(handle, "wb") : NULL;

    if (file == NULL) {
        (void) proof_complain(path, strerror(errno));

        if (handle >= 0) {
            (void) close(handle);
        }
    }

    return file;
}


static int
proof_complain(const char *subject, const char *why)
{
    fprintf(stderr, "payctl: proof: %s: %s\n", subject, why);

    return PAY_CLI_USAGE;
}
