/*
 * payctl audit verify-root: checks the root of a day without a database, with
 * the public keys and the seals that each cell has exported.  Says of each cell
 * whether its head is there; files of seals are read line by line.
 */

#include "cli/audit.h"
#include "cli/cli.h"
#include "cli/help.h"
#include "cli/table.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pay_proof.h"
#include "pay_root.h"


#define CHECK_FILES_MAX  64

/* NAME=FILE */
typedef struct {
    pay_str_t    cell;
    const char  *path;
} check_file_t;

typedef struct {
    pay_audit_key_t   keys[PAY_AUDIT_KEYS_MAX];
    size_t            key_count;
    check_file_t      files[CHECK_FILES_MAX];
    size_t            file_count;
    const char       *path;
    pay_root_t        root;
    unsigned          findings;
    unsigned char    *line;        /* room for the longest */
} check_t;

/* Findings in the files of one cell. */
typedef struct {
    uint64_t     seals;
    int          is_same;
    int64_t      number;           /* of the seal that is wrong; 0: none is */
    const char  *wrong;
} check_cell_t;


static int check_parse(int argc, char **argv, check_t *check);
static int check_add(check_t *check, const char *word);
static int check_run(check_t *check, pay_arena_t *arena);
static int check_open(check_t *check, pay_arena_t *arena);
static void check_strangers(check_t *check);
static int check_cell(check_t *check, const pay_root_head_t *head);
static int check_file(const check_t *check, const char *path,
    const pay_root_head_t *head, check_cell_t *cell);
static pay_status_t check_seal(const check_t *check,
    const pay_audit_row_t *row, const pay_root_head_t *head,
    check_cell_t *cell);
static int check_is_signed(const check_t *check, const pay_audit_row_t *row);
static void check_wrong(check_cell_t *cell, int64_t number, const char *wrong);
static void check_say(check_t *check, const char *word, pay_str_t cell,
    const char *why);


const char  pay_cli_audit_verify_root_usage[] =
    "usage: payctl audit verify-root --key PUBLIC.pem ... [--seals NAME=FILE]"
    " ... FILE\n"
    "Checks the root of a day, FILE, as payctl audit root has written it: its"
    "\nsignature, that its cells give its root, and that the newest seal of"
    " each cell is\namong those that the cell has exported.\n"
    "  --key    a public key that the root or seals may be signed with\n"
    "  --seals  seals as the cell NAME has exported them (the module's export="
    " file,\n"
    "           or a syslog with them in it); several times for several hosts\n"
    "Exit code 0: valid; 1: invalid, and which cell is missing or differs; 2:"
    " not\nchecked.\n";


/* Parsed by hand, because --key and --seals may be repeated. */
int
pay_cli_audit_verify_root(int argc, char **argv)
{
    int          code = PAY_CLI_USAGE;
    check_t     *check;
    pay_heap_t  *heap;

    if (argc >= 2 && (strcmp(argv[1], "--help") == 0
                      || strcmp(argv[1], "-h") == 0))
    {
        pay_cli_help(pay_cli_audit_verify_root_usage);
        return PAY_CLI_OK;
    }

    check = calloc(1, sizeof(check_t));
    heap = pay_heap_create();

    if (check != NULL && heap != NULL && check_parse(argc, argv, check)) {
        check->line = malloc(PAY_AUDIT_LINE_MAX + 1);
        code = check->line != NULL
               ? check_run(check, pay_heap_arena(heap))
               : pay_cli_audit_complain("verify-root", "out of memory");
        free(check->line);
    }

    pay_heap_destroy(heap);
    free(check);

    return code;
}


static int
check_parse(int argc, char **argv, check_t *check)
{
    int  i, done = 1;

    for (i = 1; done && i < argc; i++) {
        if (strcmp(argv[i], "--key") == 0 && i + 1 < argc
            && check->key_count < PAY_AUDIT_KEYS_MAX)
        {
            if (pay_cli_audit_public(argv[++i],
                                     &check->keys[check->key_count++])
                != PAY_CLI_OK)
            {
                return 0;
            }

        } else if (strcmp(argv[i], "--seals") == 0 && i + 1 < argc) {
            done = check_add(check, argv[++i]);

        } else {
            done = argv[i][0] != '-' && check->path == NULL;
            check->path = argv[i];
        }
    }

    if (!done || check->path == NULL || check->key_count == 0) {
        pay_cli_help_forms(stderr, pay_cli_audit_verify_root_usage);
        return 0;
    }

    return 1;
}


static int
check_add(check_t *check, const char *word)
{
    const char    *equal = strchr(word, '=');
    check_file_t  *file = &check->files[check->file_count];

    if (equal == NULL || check->file_count == CHECK_FILES_MAX) {
        return 0;
    }

    file->cell = (pay_str_t) { (size_t) (equal - word),
                               (const unsigned char *) word };
    file->path = equal + 1;
    check->file_count++;

    return pay_cell_is_valid(file->cell);
}


static int
check_run(check_t *check, pay_arena_t *arena)
{
    int     code;
    size_t  i;

    code = check_open(check, arena);

    for (i = 0; code == PAY_CLI_OK && i < check->root.count; i++) {
        code = check_cell(check, &check->root.heads[i]);
    }

    if (code != PAY_CLI_OK) {
        return code;
    }

    check_strangers(check);
    puts(check->findings == 0 ? "valid" : "invalid");

    return check->findings == 0 ? PAY_CLI_OK : PAY_CLI_NO;
}


/* Nothing of the document is believed before its signature. */
static int
check_open(check_t *check, pay_arena_t *arena)
{
    size_t          len;
    FILE           *file = fopen(check->path, "rb");
    pay_err_t       err = { .detail = "out of memory" };
    pay_str_t       document;
    pay_status_t    status;
    unsigned char   text[PAY_ROOT_MAX + 1];

    if (file == NULL) {
        return pay_cli_audit_complain(check->path, "cannot be opened");
    }

    len = fread(text, 1, sizeof(text), file);

    if (ferror(file)) {
        fclose(file);
        return pay_cli_audit_complain(check->path, "cannot be read");
    }

    fclose(file);
    status = pay_proof_open(arena, (pay_str_t) { len, text }, check->keys,
                            check->key_count, &document, &err);

    if (status == PAY_OK) {
        status = pay_root_read(arena, document, &check->root, &err);
    }

    if (status == PAY_INVALID) {
        printf("invalid: %s\n", err.detail);
        return PAY_CLI_NO;
    }

    if (status != PAY_OK) {
        return pay_cli_audit_complain(check->path, "out of memory");
    }

    printf("root      of %.*s over %zu cell%s\n", pay_fmt(check->root.day),
           check->root.count, check->root.count == 1 ? "" : "s");

    return PAY_CLI_OK;
}


/* A cell that has seals and is not in the root was left out. */
static void
check_strangers(check_t *check)
{
    size_t  i, j;

    for (i = 0; i < check->file_count; i++) {
        for (j = 0; j < check->root.count; j++) {
            if (pay_str_eq(check->files[i].cell, check->root.heads[j].cell)) {
                break;
            }
        }

        if (j == check->root.count) {
            check_say(check, "missing", check->files[i].cell,
                      "the root is not over this cell\n");
        }
    }
}


static int
check_cell(check_t *check, const pay_root_head_t *head)
{
    int           code = PAY_CLI_OK, is_given = 0;
    size_t        i;
    check_cell_t  cell = { .seals = 0 };

    for (i = 0; code == PAY_CLI_OK && i < check->file_count; i++) {
        if (pay_str_eq(check->files[i].cell, head->cell)) {
            is_given = 1;
            code = check_file(check, check->files[i].path, head, &cell);
        }
    }

    if (code != PAY_CLI_OK) {
        return code;
    }

    if (!is_given) {
        check_say(check, "missing", head->cell,
                  "no exported seals are given: --seals NAME=FILE\n");

    } else if (cell.wrong != NULL) {
        check_say(check, "differs", head->cell, "");
        printf("seal %" PRId64 " %s\n", cell.number, cell.wrong);

    } else if (!cell.is_same && head->number > 0) {
        check_say(check, "missing", head->cell, "");
        printf("seal %" PRId64 " is not among the %" PRIu64 " exported\n",
               head->number, cell.seals);

    } else {
        printf("ok        %.*s: ", pay_fmt(head->cell));

        if (head->number == 0) {
            puts("nothing was sealed by then");

        } else {
            printf("seal %" PRId64 " of %.*s\n", head->number,
                   pay_fmt(head->at));
        }
    }

    return PAY_CLI_OK;
}


/* Other lines of a syslog are no findings. */
static int
check_file(const check_t *check, const char *path,
    const pay_root_head_t *head, check_cell_t *cell)
{
    int               code = PAY_CLI_OK;
    FILE             *file = fopen(path, "rb");
    pay_err_t         ignored;
    pay_str_t         text;
    pay_audit_row_t   row;

    if (file == NULL) {
        return pay_cli_audit_complain(path, "cannot be opened");
    }

    while (code == PAY_CLI_OK
           && pay_cli_audit_line(file, check->line, &text))
    {
        if (pay_audit_parse(pay_cli_audit_seal_in(text), &row, &ignored)
            != PAY_OK)
        {
            continue;
        }

        if (row.kind == PAY_AUDIT_SEAL && row.seal.is_signed
            && check_seal(check, &row, head, cell) == PAY_NO_MEMORY)
        {
            code = pay_cli_audit_complain(path, "out of memory");
        }

        pay_audit_row_free(&row);
    }

    if (code == PAY_CLI_OK && ferror(file)) {
        code = pay_cli_audit_complain(path, "cannot be read");
    }

    fclose(file);

    return code;
}


/* A line that the cell's key has not signed is a stranger's: it counts for
 * nothing but the seal that it claims to be. */
static pay_status_t
check_seal(const check_t *check, const pay_audit_row_t *row,
    const pay_root_head_t *head, check_cell_t *cell)
{
    pay_root_seal_t  is;

    PAY_TRY(pay_root_compare(&check->root, head, row->seal.message, &is));
    cell->seals++;

    if (is == PAY_ROOT_OTHER) {
        return PAY_OK;
    }

    if (!check_is_signed(check, row)) {
        check_wrong(cell, row->number, "as exported has no signature of a key"
                    " that was given");
        return PAY_OK;
    }

    if (is == PAY_ROOT_SAME) {
        cell->is_same = 1;

    } else if (is == PAY_ROOT_LATER) {
        check_wrong(cell, row->number, "is of that day, too, and newer than"
                    " the head in the root");

    } else {
        check_wrong(cell, row->number, "as exported does not agree with the"
                    " head in the root");
    }

    return PAY_OK;
}


static int
check_is_signed(const check_t *check, const pay_audit_row_t *row)
{
    size_t     i;
    pay_str_t  signature = { PAY_ED25519_SIGNATURE, row->seal.signature };

    for (i = 0; i < check->key_count; i++) {
        if (pay_str_is(row->seal.key_id, check->keys[i].id)) {
            return pay_ed25519_verify(check->keys[i].key, row->seal.message,
                                      signature) == PAY_OK;
        }
    }

    return 0;
}


/* The first one is reported. */
static void
check_wrong(check_cell_t *cell, int64_t number, const char *wrong)
{
    if (cell->wrong == NULL) {
        cell->wrong = wrong;
        cell->number = number;
    }
}


static void
check_say(check_t *check, const char *word, pay_str_t cell, const char *why)
{
    check->findings++;
    printf("%-9s %.*s: %s", word, pay_fmt(cell), why);
}
