/*
 * Questions of payctl merchant move to both databases: whether the merchant may
 * move, the balances, and the proof that nothing is in both.
 *
 * A balance goes by two legs under one id: out of the old database, which makes
 * the id and keeps the leg open; into the new one, where the id is unique; then
 * the first is ended.  Killed anywhere, the next call finds the open leg.
 */

#include "cli/merchant.h"
#include "cli/act.h"
#include "cli/cli.h"
#include "cli/db.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>


#define NAME   PAY_CLI_MERCHANT_NAME
#define PIECE  "500"
#define WALLET_MAX  512             /* a currency, a seller and a NUL */

/* A node may have asked both cells before the merchant went away.  It begins
 * the payment within its deadlines, or where a process stood still, later. */
#define AWAY   "15 minutes"

/* Rows that one database must not have, or that the other one must have, too:
 * each is printed behind its name.  in_to: asked there, else in the old one. */
typedef struct {
    const char  *name;
    int          in_to;
    const char  *sql;          /* $1: the merchant; one column */
} lack_t;

/* An id that may be in one of the databases only.  page: the next ids behind $2
 * as an array, and the last of them; same: those of $2 that are there, too. */
typedef struct {
    const char  *name;
    const char  *page;
    const char  *same;
} proof_t;


static int ready_origin(const pay_cli_move_t *move);
static int ready_alike(const pay_cli_move_t *move);
static int ready_lacks(const pay_cli_move_t *move, const lack_t *lack);
static int alike(const pay_cli_move_t *move, const char *name,
    const char *sql);
static int carry_out(const pay_cli_move_t *move, char *last);
static int carry_open(const pay_cli_move_t *move, int *count);
static int tell_stays(const pay_cli_move_t *move);
static int proof_of(const pay_cli_move_t *move, const proof_t *proof);
static int proof_page(const pay_cli_move_t *move, const proof_t *proof,
    const char *ids);


static const lack_t  lacks[] = {
    { "a pay-out of the old cell has not ended", 0,
      "SELECT payout_id || ' (' || state || ')' FROM pay.payout"
      " WHERE merchant_id = $1 AND state NOT IN ('paid', 'settled', 'failed',"
      " 'cancelled', 'returned') ORDER BY 1 LIMIT 5" },
    { "a schedule of pay-outs is on in the old cell", 0,
      "SELECT every FROM pay.payout_schedule WHERE merchant_id = $1"
      " AND next_at IS NOT NULL LIMIT 5" },
    { "a balance is under way from the new cell, by an earlier move: call that"
      " one again first", 1,
      "SELECT transfer_id || ' to ' || cell FROM pay.cell_transfer"
      " WHERE merchant_id = $1 AND side = 'out' AND ended_at IS NULL LIMIT 5" },
    { "the merchant left the new cell less than " AWAY " ago, and a request of"
      " before may be under way: wait", 1,
      "SELECT " PAY_CLI_AT("moved_at") " FROM pay.merchant_move"
      " WHERE merchant_id = $1 AND moved_at > now() - interval '" AWAY "'" },
    { "a restore of the old cell is being searched for", 0,
      "SELECT recovery_id FROM pay.recovery WHERE ended_at IS NULL"
      " AND $1::text IS NOT NULL" },
    { "a restore of the new cell is being searched for", 1,
      "SELECT recovery_id FROM pay.recovery WHERE ended_at IS NULL"
      " AND $1::text IS NOT NULL" },
    { NULL, 0, NULL }
};

#define PAGE(column, table, more)                                             \
    "SELECT array_agg(x)::text, max(x COLLATE \"C\") FROM (SELECT " column    \
    "::text AS x FROM " table " WHERE merchant_id = $1 AND " column " > $2"   \
    more " ORDER BY " column " LIMIT 1000) p"
#define SAME(column, table, more)                                             \
    "SELECT string_agg(x, ' ') FROM (SELECT " column "::text AS x FROM "      \
    table " WHERE merchant_id = $1 AND " column " = ANY ($2::text[])" more    \
    " LIMIT 5) s"
#define PROOF(name, column, table, more)                                      \
    { name, PAGE(column, table, more), SAME(column, table, more) }
#define KEYS  " AND route = 'POST /v1/payments' AND expires_at > now()"

static const proof_t  proofs[] = {
    PROOF("checkout", "checkout_id", "pay.checkout", ""),
    PROOF("order", "payment_order_id", "pay.payment_order", ""),
    PROOF("key", "key", "pay.idempotency_key", KEYS),
    PROOF("change", "change_id", "pay.change", ""),
    { NULL, NULL, NULL }
};


int
pay_cli_move_ready(const pay_cli_move_t *move)
{
    int           code;
    const lack_t *lack;

    code = ready_origin(move);
    if (code == PAY_CLI_OK) {
        code = ready_alike(move);
    }

    for (lack = lacks; lack->name != NULL && code != PAY_CLI_USAGE; lack++) {
        switch (ready_lacks(move, lack)) {

        case PAY_CLI_OK:
            break;

        case PAY_CLI_NO:
            code = PAY_CLI_NO;
            break;

        default:
            code = PAY_CLI_USAGE;
        }
    }

    return code;
}


/* A third cell would not know the keys and ids of the first one. */
static int
ready_origin(const pay_cli_move_t *move)
{
    char        word[PAY_CLI_WORD];
    const char *values[] = { move->id, move->to_name };

    if (!pay_cli_word(move->from, NAME,
                      "SELECT coalesce((SELECT cell FROM pay.merchant_origin"
                      " WHERE merchant_id = $1 AND cell <> $2), '')", 2, values,
                      word))
    {
        return PAY_CLI_USAGE;
    }

    if (*word != '\0') {
        printf("missing: the merchant has older payments in the cell %s, and"
               " moves back there only\n", word);
        return PAY_CLI_NO;
    }

    return PAY_CLI_OK;
}


/* The new cell needs these from its first payment on: messages that are born
 * without an endpoint are never delivered to it. */
static int
ready_alike(const pay_cli_move_t *move)
{
    unsigned  i;
    int       code = PAY_CLI_OK, one;

    static const char *const  sets[][2] = {
        { "the schema is of another version",
          "SELECT max(file), $1::text IS NULL FROM pay.schema_migration" },
        { "the endpoints are others: store them in the new cell, or declare"
          " them in nginx.conf",
          "SELECT md5(coalesce(string_agg(concat_ws(' ', url, scheme,"
          " is_ordered, types), ',' ORDER BY url COLLATE \"C\", scheme,"
          " is_ordered, types), '')) FROM pay.webhook_endpoint"
          " WHERE merchant_id = $1 AND state = 'enabled'" },
        { "the policy of pay-outs is another one",
          "SELECT md5(coalesce(string_agg((p.*)::text, ','), ''))"
          " FROM pay.payout_policy p WHERE merchant_id = $1" },
        { "other sellers are held",
          "SELECT md5(coalesce(string_agg(seller_account, ',' ORDER BY"
          " seller_account), '')) FROM pay.payout_hold"
          " WHERE merchant_id = $1 AND payment_order_id = ''" },
        { "the policy of fees is another one",
          "SELECT md5(coalesce(string_agg(concat_ws(' ', returns, tax_percent),"
          " ','), '')) FROM pay.fee_policy WHERE merchant_id = $1" }
    };

    for (i = 0; i < sizeof(sets) / sizeof(sets[0]); i++) {
        one = alike(move, sets[i][0], sets[i][1]);

        if (one == PAY_CLI_USAGE) {
            return one;
        }

        code = one == PAY_CLI_NO ? one : code;
    }

    return code;
}


static int
alike(const pay_cli_move_t *move, const char *name, const char *sql)
{
    char  from[PAY_CLI_WORD], to[PAY_CLI_WORD];

    if (!pay_cli_word(move->from, NAME, sql, 1, &move->id, from)
        || !pay_cli_word(move->to, NAME, sql, 1, &move->id, to))
    {
        return PAY_CLI_USAGE;
    }

    if (strcmp(from, to) != 0) {
        printf("missing: %s\n", name);
        return PAY_CLI_NO;
    }

    return PAY_CLI_OK;
}


static int
ready_lacks(const pay_cli_move_t *move, const lack_t *lack)
{
    int        i, count;
    PGresult  *rows;

    rows = pay_cli_query(lack->in_to ? move->to : move->from, NAME, lack->sql,
                         1, &move->id);
    if (rows == NULL) {
        return PAY_CLI_USAGE;
    }

    count = PQntuples(rows);

    for (i = 0; i < count; i++) {
        printf("missing: %s: %s\n", lack->name, PQgetvalue(rows, i, 0));
    }

    PQclear(rows);

    return count == 0 ? PAY_CLI_OK : PAY_CLI_NO;
}


int
pay_cli_move_balances(const pay_cli_move_t *move, int is_new)
{
    int   ended, all = 0;
    char  last[WALLET_MAX] = "";

    do {
        if (is_new && !carry_out(move, last)) {
            return PAY_CLI_USAGE;
        }

        do {
            if (!carry_open(move, &ended)) {
                return PAY_CLI_USAGE;
            }

            all += ended;
        } while (ended > 0);
    } while (*last != '\0');

    printf("%d balances were carried to %s\n", all, move->to_name);

    return PAY_CLI_OK;
}


/* last: the wallet to begin behind, and then the last one of this piece; ""
 * behind the last of all. */
static int
carry_out(const pay_cli_move_t *move, char *last)
{
    int         count;
    PGresult   *rows;
    const char *values[] = { move->id, last, PIECE, move->who };

    rows = pay_cli_query(move->from, NAME,
                         "SELECT carried, coalesce(last, '')"
                         " FROM pay_ops.carry_out($1, $2, $3::int, $4)", 4,
                         values);
    if (rows == NULL) {
        return 0;
    }

    count = (int) strtol(PQgetvalue(rows, 0, 0), NULL, 10);
    snprintf(last, WALLET_MAX, "%s", PQgetvalue(rows, 0, 1));
    PQclear(rows);

    if (count < 0) {
        fputs("payctl: " NAME ": balances cannot be carried: the merchant has"
              " not moved, or --who is no name\n", stderr);
        return 0;
    }

    return 1;
}


/* Open legs of this move, the oldest first, into the new cell and then ended
 * here. */
static int
carry_open(const pay_cli_move_t *move, int *count)
{
    int         i, done;
    char        word[PAY_CLI_WORD];
    PGresult   *rows;
    const char *legs[7];
    const char *values[] = { move->id, move->to_name };

    rows = pay_cli_query(move->from, NAME,
        "SELECT count(*), array_agg(transfer_id)::text,"
        " array_agg(seller_account::text)::text,"
        " array_agg(currency::text)::text, array_agg(minor::bigint)::text"
        " FROM (SELECT * FROM pay.cell_transfer WHERE merchant_id = $1"
        " AND cell = $2 AND side = 'out' AND ended_at IS NULL"
        " ORDER BY transfer_id LIMIT " PIECE ") t", 2, values);
    if (rows == NULL) {
        return 0;
    }

    *count = (int) strtol(PQgetvalue(rows, 0, 0), NULL, 10);
    legs[0] = move->id;
    legs[1] = move->from_name;
    legs[6] = move->who;

    for (i = 1; i <= 4; i++) {
        legs[i + 1] = PQgetvalue(rows, 0, i);
    }

    done = *count == 0
           || (pay_cli_word(move->to, NAME,
                            "SELECT pay_ops.carry_in($1, $2, $3::uuid[],"
                            " $4::text[], $5::text[], $6::bigint[], $7)", 7,
                            legs, word)
               && pay_cli_word(move->from, NAME,
                               "SELECT pay_ops.end_transfers($1::uuid[])", 1,
                               &legs[2], word));

    PQclear(rows);

    return done;
}


int
pay_cli_move_proof(const pay_cli_move_t *move, int is_carried)
{
    int             code = PAY_CLI_OK, one;
    const proof_t  *proof;

    for (proof = proofs; proof->name != NULL; proof++) {
        one = proof_of(move, proof);

        if (one == PAY_CLI_USAGE) {
            return one;
        }

        code = one == PAY_CLI_NO ? one : code;
    }

    if (is_carried && !tell_stays(move)) {
        return PAY_CLI_USAGE;
    }

    if (code == PAY_CLI_OK) {
        puts("nothing of the merchant is in both cells");
    }

    return code;
}


/* Money of wallets that no carry_out() has taken. */
static int
tell_stays(const pay_cli_move_t *move)
{
    char  count[PAY_CLI_WORD];

    if (!pay_cli_word(move->from, NAME,
                      "SELECT count(*) FROM pay.wallet WHERE merchant_id = $1"
                      " AND (available_minor, pending_minor, reserved_minor)"
                      " <> (0, 0, 0)", 1, &move->id, count))
    {
        return 0;
    }

    if (strcmp(count, "0") != 0) {
        printf("%s balances stay in %s, in part or as a whole: what is pending,"
               " reserved, held, disputed, being refunded or not released."
               "  payctl merchant show has them; call this again later\n",
               count, move->from_name);
    }

    return 1;
}


/* The new cell has fewer ids, at first: they are looked for in the old one. */
static int
proof_of(const pay_cli_move_t *move, const proof_t *proof)
{
    int         code;
    char        last[512] = "";
    PGresult   *rows;
    const char *values[] = { move->id, last };

    for (code = PAY_CLI_OK; code == PAY_CLI_OK; ) {
        rows = pay_cli_query(move->to, NAME, proof->page, 2, values);
        if (rows == NULL) {
            return PAY_CLI_USAGE;
        }

        if (PQgetisnull(rows, 0, 0)) {
            PQclear(rows);
            break;
        }

        code = proof_page(move, proof, PQgetvalue(rows, 0, 0));
        snprintf(last, sizeof(last), "%s", PQgetvalue(rows, 0, 1));
        PQclear(rows);
    }

    return code;
}


static int
proof_page(const pay_cli_move_t *move, const proof_t *proof, const char *ids)
{
    int         code = PAY_CLI_OK;
    PGresult   *rows;
    const char *values[] = { move->id, ids };

    rows = pay_cli_query(move->from, NAME, proof->same, 2, values);
    if (rows == NULL) {
        return PAY_CLI_USAGE;
    }

    if (!PQgetisnull(rows, 0, 0)) {
        printf("in both cells: %s %s\n", proof->name, PQgetvalue(rows, 0, 0));
        code = PAY_CLI_NO;
    }

    PQclear(rows);

    return code;
}
