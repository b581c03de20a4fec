/*
 * payctl payout file read: the bank's answers to files, pain.002, camt.053 and
 * camt.054.  A file is read to its end, its statements are checked together,
 * and then each is applied in a transaction of its own; a reading that ends in
 * the middle is taken up by the next one of the same file.
 */

#define _GNU_SOURCE

#include "cli/args.h"
#include "cli/cli.h"
#include "cli/db.h"
#include "cli/payout_file.h"

#include "pay_json.h"
#include "pay_settle.h"

#include <stdio.h>
#include <string.h>


#define FILES_MAX    64
#define WHO_MAX      200
#define FILE_MAX    (64 * 1024 * 1024)
#define HEAD         4096              /* bytes that name the kind of a file */
#define KNOWN        3                 /* exit code, as settlement import */
#define RETURN       "RETURN "         /* before the reason of an entry */
#define KEY_MAX      PAY_PAYOUT_KEY_MAX
#define OUTCOMES     8
#define ID_MAX       128
#define PLACE_MAX   (PAY_SETTLE_KEY_MAX + 64 + KEY_MAX)
#define NOTICE       "camt.054/"       /* before the id of an entry of one */

/* Columns of said_sql; those from EVENT on are parameters of take_sql. */
enum { OUTCOME = 0, EVENT, COLUMNS = 10 };

typedef enum {
    READ_REPORT = 0,                   /* pain.002 */
    READ_STATEMENT,                    /* camt.053 */
    READ_NOTICE,                       /* camt.054 */
    READ_COUNT
} read_kind_t;

/* A file while it is read.  `said` is the JSON of its statements. */
typedef struct {
    PGconn       *conn;
    const char   *merchant;
    const char   *provider;
    const char   *who;
    const char   *path;
    pay_arena_t  *arena;
    read_kind_t   kind;
    char          sha256[FILE_DIGEST + 1];
    unsigned      said_count;
    pay_buf_t     said;
    unsigned      others;              /* entries of other payments */
    unsigned      counts[OUTCOMES];
} file_read_t;


static int read_one(file_read_t *file);
static int read_bytes(const file_read_t *file, pay_str_t *text);
static int read_known(file_read_t *file, int *is_known);
static int read_parse(file_read_t *file, pay_str_t text);
static pay_status_t read_report(file_read_t *file, pay_str_t text,
    const char **why, int64_t *line);
static pay_status_t read_statement(file_read_t *file, pay_str_t text,
    const char **why, int64_t *line);
static pay_status_t entry_id(file_read_t *file,
    const pay_settle_row_t *row, pay_str_t *id);
static pay_status_t told_status(void *data, const pay_payout_event_t *event);
static pay_status_t told_entry(void *data, const pay_settle_row_t *row);
static pay_str_t reason_of(pay_arena_t *arena, pay_str_t note);
static void say(file_read_t *file, const pay_payout_event_t *event,
    pay_str_t account);
static void say_text(file_read_t *file, const char *name, pay_str_t text);
static int read_apply(file_read_t *file);
static int read_check(file_read_t *file, const PGresult *rows);
static int read_take(file_read_t *file, const PGresult *rows);
static int read_end(file_read_t *file);


static const char *const  outcomes[OUTCOMES] = {
    "applied", "unchanged", "duplicate", "behind", "contradiction",
    "invalid", "not_found", NULL
};

static const char *const  kinds[] = {
    [READ_REPORT] = "pain.002",
    [READ_STATEMENT] = "camt.053",
    [READ_NOTICE] = "camt.054"
};
PAY_ROWS(kinds, READ_COUNT);

static const char  known_sql[] =
    "SELECT CASE WHEN EXISTS (SELECT FROM pay.payout_report r"
    " WHERE r.merchant_id = $1 AND r.provider = $2"
    " AND r.sha256 = decode($3, 'hex')) THEN 'known'"
    " WHEN NOT EXISTS (SELECT FROM pay.payout_provider v"
    " WHERE v.merchant_id = $1 AND v.provider = $2)"
    " THEN 'none' ELSE 'new' END";

static const char  said_sql[] =
    "SELECT r.* FROM pay_ops.read_payout_report($1, $2, $3::jsonb) r";

static const char  end_sql[] =
    "SELECT pay_ops.end_payout_report($1, $2, decode($3, 'hex'), $4,"
    " $5::jsonb, $6)";

static const char  take_sql[] =
    "SELECT pay_ops.take_payout_report($1, $2, $3, $4, $5, $6, $7,"
    " $8::bigint, $9, $10, $11::bigint)";


int
pay_cli_payout_file_read(int argc, char **argv)
{
    int           words, i, one, code = PAY_CLI_OK, known = 0;
    const char   *dsn = NULL, *paths[FILES_MAX];
    pay_heap_t   *heap;
    file_read_t   file = { .conn = NULL };

    const pay_cli_option_t  options[] = {
        { "--dsn", &dsn, NULL },
        { "--merchant", &file.merchant, NULL },
        { "--provider", &file.provider, NULL },
        { "--who", &file.who, NULL },
        { NULL, NULL, NULL }
    };

    words = pay_cli_args(argc, argv, options, paths, FILES_MAX);

    if (words < 0) {
        return pay_cli_say_usage(words, pay_cli_payout_file_usage);
    }

    if (words == 0 || file.merchant == NULL || file.provider == NULL
        || file.who == NULL || file.who[0] == '\0'
        || strlen(file.who) > WHO_MAX)
    {
        return pay_cli_misuse(pay_cli_payout_file_usage, "read takes"
                              " --merchant, --provider, --who and FILEs");
    }

    file.conn = pay_cli_connect(dsn);

    for (i = 0; i < words && file.conn != NULL; i++) {
        heap = pay_heap_create();
        file.path = paths[i];
        file.arena = heap != NULL ? pay_heap_arena(heap) : NULL;
        one = heap != NULL ? read_one(&file) : PAY_CLI_USAGE;
        pay_heap_destroy(heap);
        known += one == KNOWN;
        code = one != KNOWN && one > code ? one : code;
    }

    PQfinish(file.conn);

    return i < words ? PAY_CLI_USAGE
           : known == words ? KNOWN : code;
}


static int
read_one(file_read_t *file)
{
    int            is_known;
    size_t         i;
    pay_str_t      text, hex;
    unsigned char  digest[PAY_SHA256_SIZE];

    file->said_count = file->others = 0;
    memset(file->counts, 0, sizeof(file->counts));

    if (!read_bytes(file, &text) || pay_sha256(text, digest) != PAY_OK
        || pay_hex_encode(file->arena, (pay_str_t) { sizeof(digest), digest },
                          &hex) != PAY_OK)
    {
        return PAY_CLI_USAGE;
    }

    for (i = 0; i < FILE_DIGEST; i++) {
        file->sha256[i] = (char) hex.data[i];
    }

    if (!read_known(file, &is_known)) {
        return PAY_CLI_USAGE;
    }

    if (is_known) {
        printf("%s: known already\n", file->path);
        return KNOWN;
    }

    return read_parse(file, text) ? read_apply(file) : PAY_CLI_USAGE;
}


static int
read_bytes(const file_read_t *file, pay_str_t *text)
{
    long            size = 0;
    size_t          n = 0;
    FILE           *from = fopen(file->path, "rb");
    unsigned char  *data = NULL;

    if (from != NULL) {
        size = fseek(from, 0, SEEK_END) == 0 ? ftell(from) : 0;
        rewind(from);
        data = size > 0 && size <= FILE_MAX
               ? pay_alloc(file->arena, (size_t) size) : NULL;
        n = data != NULL ? fread(data, 1, (size_t) size, from) : 0;
        fclose(from);
    }

    if (data == NULL || n != (size_t) size) {
        fprintf(stderr, "payctl: " FILE_WHAT ": %s: cannot be read, or is too"
                " large\n", file->path);
        return 0;
    }

    *text = (pay_str_t) { n, data };

    return 1;
}


static int
read_known(file_read_t *file, int *is_known)
{
    char         word[PAY_CLI_WORD];
    const char  *values[] = { file->merchant, file->provider, file->sha256 };

    if (!pay_cli_word(file->conn, FILE_WHAT, known_sql, 3, values, word)) {
        return 0;
    }

    *is_known = strcmp(word, "known") == 0;

    if (strcmp(word, "none") == 0) {
        fprintf(stderr, "payctl: " FILE_WHAT ": no such merchant or"
                " provider\n");
        return 0;
    }

    return 1;
}


/* The namespace of the document stands in its first bytes; any other one is
 * refused by the reader of statements. */
static int
read_parse(file_read_t *file, pay_str_t text)
{
    int            is_report, is_notice;
    int64_t        line = 0;
    const char    *why = "no memory";
    pay_str_t      head = { text.len < HEAD ? text.len : HEAD, text.data };
    pay_status_t   status;

    is_report = memmem(head.data, head.len, "pain.002.001.", 13) != NULL;
    is_notice = memmem(head.data, head.len, "camt.054.001.", 13) != NULL;
    file->kind = is_report ? READ_REPORT
                 : is_notice ? READ_NOTICE : READ_STATEMENT;
    pay_buf_init(&file->said, file->arena, FILE_MAX);
    pay_buf_text(&file->said, "[");

    status = is_report ? read_report(file, text, &why, &line)
                       : read_statement(file, text, &why, &line);
    if (status != PAY_OK) {
        fprintf(stderr, "payctl: " FILE_WHAT ": %s: line %lld: %s\n",
                file->path, (long long) line, why != NULL ? why : "refused");
        return 0;
    }

    pay_buf_text(&file->said, "]");

    return 1;
}


static pay_status_t
read_report(file_read_t *file, pay_str_t text, const char **why,
    int64_t *line)
{
    pay_status_t          status;
    pay_payout_report_t  *report;

    PAY_TRY(pay_payout_report_open(file->arena, told_status, file, &report));
    status = pay_payout_report_feed(report, text);

    if (status == PAY_OK) {
        status = pay_payout_report_end(report);
    }

    if (status == PAY_INVALID) {
        *why = pay_payout_report_refusal(report, line);
    }

    pay_payout_report_close(report);

    return status;
}


/* The reader of settlement files: its proof is that of the balances, which a
 * notification does not have. */
static pay_status_t
read_statement(file_read_t *file, pay_str_t text, const char **why,
    int64_t *line)
{
    pay_status_t                 status;
    pay_settle_reader_t         *reader;
    pay_settle_options_t         options = { .row = told_entry, .data = file };
    pay_settle_verdict_t         verdict = PAY_SETTLE_REFUSED;
    const pay_settle_refusal_t  *refusal;

    PAY_TRY(file->kind == READ_NOTICE
            ? pay_settle_open_notice(file->arena, &options, &reader)
            : pay_settle_open(file->arena, PAY_STR("camt.053"), &options,
                              &reader));
    status = pay_settle_feed(reader, text);

    if (status == PAY_OK) {
        status = pay_settle_end(reader);
    }

    if (status == PAY_OK && file->kind == READ_STATEMENT) {
        status = pay_settle_prove(reader, &verdict);
    }

    if (status == PAY_INVALID) {
        refusal = pay_settle_refusal(reader);
        *why = refusal != NULL ? refusal->reason
                               : "its balances do not hold";
        *line = refusal != NULL ? refusal->line : 0;
    }

    pay_settle_close(reader);

    return status;
}


static pay_status_t
told_status(void *data, const pay_payout_event_t *event)
{
    say(data, event, PAY_STR(""));

    return PAY_OK;
}


/* A debit settles the payment that it names, and a credit brings it back.  An
 * entry has a day and no time, so that it is never taken for an older one. */
static pay_status_t
told_entry(void *data, const pay_settle_row_t *row)
{
    file_read_t         *file = data;
    pay_payout_event_t   event;

    if (row->our_ref.len == 0 || row->our_ref.len > KEY_MAX) {
        return PAY_OK;
    }

    memset(&event, 0, sizeof(event));
    PAY_TRY(entry_id(file, row, &event.event_id));
    event.key = row->our_ref;
    event.has_amount = 1;
    event.amount_minor = row->gross_minor;
    event.currency = pay_str_of(row->currency);

    if (row->gross_minor == 0 && row->paid_currency[0] != '\0') {
        event.amount_minor = row->paid_minor;
        event.currency = pay_str_of(row->paid_currency);
    }

    event.state = row->kind == PAY_SETTLE_DEBIT ? PAY_PAYOUT_SETTLED
                                                : PAY_PAYOUT_RETURNED;
    event.amount_minor *= event.amount_minor < 0 ? -1 : 1;
    /* a credit of nobody knows how much is not the item's money */
    event.has_amount = event.amount_minor != 0
                       || event.state == PAY_PAYOUT_RETURNED;

    event.code = reason_of(file->arena, row->note);
    say(file, &event, row->account);

    return PAY_OK;
}


/* A bank notifies of an entry, and its statement has it again: the two have ids
 * of their own, and the id says which of them it is.  The place of an entry
 * alone would not do: some banks number their statements anew each year, and
 * their notifications not at all, so that a return stands where its debit has
 * stood. */
static pay_status_t
entry_id(file_read_t *file, const pay_settle_row_t *row, pay_str_t *id)
{
    pay_buf_t      buf;
    pay_str_t      hex, place;
    unsigned char  digest[PAY_SHA256_SIZE];

    pay_buf_init(&buf, file->arena, PLACE_MAX);
    pay_buf_add(&buf, row->row_key);
    pay_buf_text(&buf, " ");
    pay_buf_add(&buf, row->our_ref);
    pay_buf_text(&buf, row->kind == PAY_SETTLE_DEBIT ? " debit " : " credit ");
    pay_buf_add(&buf, row->booked_on);
    PAY_TRY(pay_buf_done(&buf, &place));
    PAY_TRY(pay_sha256(place, digest));
    PAY_TRY(pay_hex_encode(file->arena, (pay_str_t) { sizeof(digest), digest },
                           &hex));
    pay_buf_init(&buf, file->arena, ID_MAX);
    pay_buf_text(&buf, file->kind == READ_NOTICE ? NOTICE : "");
    pay_buf_add(&buf, hex);

    return pay_buf_done(&buf, id);
}


/* A return has the bank's reason in front of its note. */
static pay_str_t
reason_of(pay_arena_t *arena, pay_str_t note)
{
    size_t          i, from = strlen(RETURN);
    pay_str_t       code = PAY_STR("");
    unsigned char  *text;

    if (note.len <= from || memcmp(note.data, RETURN, from) != 0) {
        return code;
    }

    i = from;

    while (i < note.len && note.data[i] != ' ') {
        i++;
    }

    text = pay_alloc(arena, i - from + 1);

    if (text != NULL) {
        code = (pay_str_t) { i - from, text };
        for (i = 0; i < code.len; i++) {
            text[i] = (unsigned char) (note.data[from + i] | 0x20);
        }
    }

    return code;
}


static void
say(file_read_t *file, const pay_payout_event_t *event, pay_str_t account)
{
    pay_buf_t  *said = &file->said;

    pay_buf_text(said, file->said_count++ == 0 ? "{" : ",\n{");
    pay_buf_text(said, "\"state\":\"");
    pay_buf_text(said, pay_payout_state_name(event->state));
    pay_buf_text(said, "\"");
    say_text(file, "event_id", event->event_id);
    say_text(file, "key", event->key);
    say_text(file, "parcel", event->parcel);
    say_text(file, "code", event->code);
    say_text(file, "account_end", event->account_end);
    say_text(file, "account", account);

    if (event->has_amount) {
        say_text(file, "currency", event->currency);
        pay_buf_text(said, ",\"amount_minor\":");
        pay_buf_int(said, event->amount_minor);
    }

    if (event->occurred_us != 0) {
        pay_buf_text(said, ",\"occurred_us\":");
        pay_buf_int(said, event->occurred_us);
    }

    pay_buf_text(said, "}");
}


static void
say_text(file_read_t *file, const char *name, pay_str_t text)
{
    if (text.len != 0) {
        pay_buf_text(&file->said, ",\"");
        pay_buf_text(&file->said, name);
        pay_buf_text(&file->said, "\":\"");
        pay_buf_json(&file->said, text);
        pay_buf_text(&file->said, "\"");
    }
}


static int
read_apply(file_read_t *file)
{
    int          is_done;
    PGresult    *rows;
    pay_str_t    said;
    const char  *values[3] = { file->merchant, file->provider, NULL };

    if (pay_buf_done(&file->said, &said) != PAY_OK
        || pay_dup(file->arena, said, &said) != PAY_OK)
    {
        fprintf(stderr, "payctl: " FILE_WHAT ": %s: too many statements\n",
                file->path);
        return PAY_CLI_USAGE;
    }

    values[2] = (const char *) said.data;
    rows = pay_cli_query(file->conn, FILE_WHAT, said_sql, 3, values);

    if (rows == NULL) {
        return PAY_CLI_USAGE;
    }

    if (!read_check(file, rows)) {
        PQclear(rows);
        return PAY_CLI_NO;
    }

    is_done = read_take(file, rows);
    PQclear(rows);

    return is_done ? read_end(file) : PAY_CLI_USAGE;
}


/* A report is about our files alone, and is refused whole otherwise.  A
 * statement has entries of others. */
static int
read_check(file_read_t *file, const PGresult *rows)
{
    int          i;
    const char  *outcome;

    for (i = 0; i < PQntuples(rows); i++) {
        outcome = PQgetvalue(rows, i, OUTCOME);

        if (strcmp(outcome, "item") == 0) {
            continue;
        }

        if (file->kind != READ_REPORT && strcmp(outcome, "not_found") == 0) {
            file->others++;
            continue;
        }

        fprintf(stderr, "payctl: " FILE_WHAT ": %s: refused, %s: %s\n",
                file->path, outcome, PQgetvalue(rows, i, EVENT));
        return 0;
    }

    return 1;
}


static int
read_take(file_read_t *file, const PGresult *rows)
{
    int          i, column;
    char         word[PAY_CLI_WORD];
    size_t       k;
    const char  *values[COLUMNS + 1] = { file->merchant, file->provider };

    for (i = 0; i < PQntuples(rows); i++) {
        if (strcmp(PQgetvalue(rows, i, OUTCOME), "item") != 0) {
            continue;
        }

        for (column = EVENT; column < COLUMNS; column++) {
            values[column + 1] = PQgetisnull(rows, i, column)
                                 ? NULL : PQgetvalue(rows, i, column);
        }

        if (!pay_cli_word(file->conn, FILE_WHAT, take_sql, COLUMNS + 1,
                          values, word))
        {
            return 0;
        }

        for (k = 0; outcomes[k] != NULL; k++) {
            file->counts[k] += strcmp(outcomes[k], word) == 0;
        }

        if (strcmp(word, "contradiction") == 0) {
            fprintf(stderr, "payctl: " FILE_WHAT ": %s: contradiction: %s\n",
                    file->path, PQgetvalue(rows, i, EVENT));
        }
    }

    return 1;
}


static int
read_end(file_read_t *file)
{
    char         word[PAY_CLI_WORD];
    size_t       k;
    pay_buf_t    buf;
    pay_str_t    counts;
    const char  *values[6] = { file->merchant, file->provider, file->sha256 };

    pay_buf_init(&buf, file->arena, HEAD);
    pay_buf_text(&buf, "{\"others\":");
    pay_buf_int(&buf, file->others);
    printf("%s: %s", file->path, kinds[file->kind]);

    for (k = 0; outcomes[k] != NULL; k++) {
        pay_buf_text(&buf, ",\"");
        pay_buf_text(&buf, outcomes[k]);
        pay_buf_text(&buf, "\":");
        pay_buf_int(&buf, file->counts[k]);

        if (file->counts[k] != 0) {
            printf(", %s:%u", outcomes[k], file->counts[k]);
        }
    }

    printf(", others:%u\n", file->others);
    pay_buf_text(&buf, "}");

    if (pay_buf_done(&buf, &counts) != PAY_OK
        || pay_dup(file->arena, counts, &counts) != PAY_OK)
    {
        return PAY_CLI_USAGE;
    }

    values[3] = kinds[file->kind];
    values[4] = (const char *) counts.data;
    values[5] = file->who;

    if (!pay_cli_word(file->conn, FILE_WHAT, end_sql, 6, values, word)) {
        return PAY_CLI_USAGE;
    }

    /* contradictions and those behind them in the table */
    return file->counts[4] + file->counts[5] + file->counts[6] == 0
           ? PAY_CLI_OK : PAY_CLI_NO;
}
