/*
 * The bytes of a bank's file: the accounts of its items are opened with the
 * keyring, each item is held against the limits of the bank, and those that fit
 * are written as pain.001 under a temporary name, durably.
 */

#include "cli/db.h"
#include "cli/payout_file.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>


#define CODE_REFUSED  "request_refused"

/* Columns of items_sql. */
enum { ID = 0, KEY, AMOUNT, CURRENCY, KIND, COUNTRY, SELLER, KEY_ID, DETAILS };

typedef struct {
    int            fd;
    int            is_lost;            /* the disk does not take it */
} make_out_t;


static pay_status_t make_items(file_write_t *file, const PGresult *rows,
    pay_payout_item_t *items);
static pay_status_t make_item(file_write_t *file, const PGresult *rows,
    int row, pay_payout_item_t *item, const char **why);
static pay_status_t make_parcel(file_write_t *file,
    pay_payout_parcel_t *parcel);
static pay_status_t make_bytes(file_write_t *file,
    const pay_payout_item_t *items, make_out_t *out);
static pay_status_t make_write(void *data, pay_str_t bytes);
static pay_status_t make_refused(const pay_err_t *err, pay_status_t status);


static const char  items_sql[] =
    "SELECT p.payout_id, i.key, p.amount_minor, p.currency, n.kind,"
    " n.country, p.seller_account, n.key_id, encode(n.details, 'hex')"
    " FROM pay.payout_file_item i JOIN pay.payout p"
    " ON p.merchant_id = i.merchant_id AND p.payout_id = i.payout_id"
    " JOIN pay.payout_destination n ON n.merchant_id = p.merchant_id"
    " AND n.destination_id = p.destination_id"
    " AND n.version = p.destination_version"
    " WHERE i.msg_id = $1 AND i.is_in ORDER BY p.payout_id";

static const char  parcel_sql[] =
    "SELECT floor(extract(epoch FROM f.made_at))::bigint, f.execute_on"
    " FROM pay.payout_file f WHERE f.msg_id = $1";


/* Without an item that fits there are no bytes, and no file. */
pay_status_t
pay_cli_payout_file_make(file_write_t *file)
{
    int                 count;
    PGresult           *rows;
    make_out_t          out = { -1, 0 };
    const char         *values[] = { file->id };
    pay_status_t        status;
    pay_payout_item_t  *items;

    rows = pay_cli_query(file->conn, FILE_WHAT, items_sql, 1, values);
    if (rows == NULL) {
        return PAY_INVALID;
    }

    count = PQntuples(rows);
    items = pay_calloc(file->arena, ((size_t) count + 1) * sizeof(*items));
    file->left = pay_calloc(file->arena,
                            ((size_t) count + 1) * sizeof(*file->left));
    status = items == NULL || file->left == NULL
             ? PAY_NO_MEMORY : make_items(file, rows, items);
    PQclear(rows);

    if (status != PAY_OK || file->sums.count == 0) {
        return status;
    }

    out.fd = pay_cli_file_create(&file->dir, file->id, FILE_PART);
    out.is_lost = out.fd == -1;

    if (!out.is_lost) {
        status = make_bytes(file, items, &out);
        out.is_lost |= fsync(out.fd) != 0;
        out.is_lost |= close(out.fd) != 0 || fsync(file->dir.fd) != 0;
    }

    if (out.is_lost) {
        fprintf(stderr, "payctl: " FILE_WHAT ": the file cannot be written:"
                " %s\n", strerror(errno));
    }

    return out.is_lost ? PAY_INVALID : status;
}


/* Those that fit, in front. */
static pay_status_t
make_items(file_write_t *file, const PGresult *rows, pay_payout_item_t *items)
{
    int            i;
    pay_str_t      id;
    const char    *why;
    file_left_t   *left;
    pay_status_t   status;

    for (i = 0; i < PQntuples(rows); i++) {
        why = CODE_REFUSED;
        status = make_item(file, rows, i, &items[file->sums.count], &why);

        if (status == PAY_OK) {
            file->sums.minor += items[file->sums.count++].amount_minor;
            continue;
        }

        if (status == PAY_NO_MEMORY) {
            return status;
        }

        PAY_TRY(pay_dup(file->arena, pay_str_of(PQgetvalue(rows, i, ID)),
                        &id));
        left = &file->left[file->left_count++];
        left->payout_id = (const char *) id.data;
        left->code = why;
    }

    return PAY_OK;
}


static pay_status_t
make_item(file_write_t *file, const PGresult *rows, int row,
    pay_payout_item_t *item, const char **why)
{
    size_t               len = (size_t) PQgetlength(rows, row, DETAILS) / 2;
    pay_err_t            err;
    pay_status_t         status;
    unsigned char       *details = pay_alloc(file->arena, len + 1);
    pay_payout_sealed_t  sealed = {
        .payout_id = pay_str_of(PQgetvalue(rows, row, ID)),
        .merchant_id = pay_str_of(file->merchant),
        .seller_account = pay_str_of(PQgetvalue(rows, row, SELLER)),
        .currency = pay_str_of(PQgetvalue(rows, row, CURRENCY)),
        .kind = pay_str_of(PQgetvalue(rows, row, KIND)),
        .country = pay_str_of(PQgetvalue(rows, row, COUNTRY)),
        .key_id = pay_str_of(PQgetvalue(rows, row, KEY_ID))
    };

    if (details == NULL) {
        return PAY_NO_MEMORY;
    }

    PAY_TRY(pay_hex_decode(pay_str_of(PQgetvalue(rows, row, DETAILS)),
                           details, len));
    sealed.details = (pay_str_t) { len, details };
    memset(item, 0, sizeof(*item));
    item->amount_minor = strtoll(PQgetvalue(rows, row, AMOUNT), NULL, 10);
    PAY_TRY(pay_dup(file->arena, pay_str_of(PQgetvalue(rows, row, KEY)),
                    &item->key));
    PAY_TRY(pay_payout_open(file->arena, &file->ring, &sealed, item, why));
    *why = CODE_REFUSED;
    memset(&err, 0, sizeof(err));

    status = pay_payout_fits(pay_payout_find(PAY_STR("pain001")), item, &err);

    if (status == PAY_INVALID && pay_payout_unfit(err.slug) != NULL) {
        *why = pay_payout_unfit(err.slug);
    }

    return status;
}


static pay_status_t
make_parcel(file_write_t *file, pay_payout_parcel_t *parcel)
{
    PGresult      *rows;
    const char    *values[] = { file->id };
    pay_status_t   status;

    rows = pay_cli_query(file->conn, FILE_WHAT, parcel_sql, 1, values);
    if (rows == NULL) {
        return PAY_INVALID;
    }

    memset(parcel, 0, sizeof(*parcel));
    parcel->key = pay_str_of(file->id);
    parcel->made_s = strtoll(PQgetvalue(rows, 0, 0), NULL, 10);
    status = pay_dup(file->arena, pay_str_of(PQgetvalue(rows, 0, 1)),
                     &parcel->execute_on);
    PQclear(rows);

    return status;
}


static pay_status_t
make_bytes(file_write_t *file, const pay_payout_item_t *items,
    make_out_t *out)
{
    int64_t              i;
    pay_err_t            err;
    pay_status_t         status;
    pay_payout_file_t   *pain = pay_alloc(file->arena, sizeof(*pain));
    pay_payout_parcel_t  parcel;

    if (pain == NULL) {
        return PAY_NO_MEMORY;
    }

    PAY_TRY(make_parcel(file, &parcel));
    memset(&err, 0, sizeof(err));
    status = pay_payout_file_begin(pain, file->arena, &file->account, &parcel,
                                   &file->sums, make_write, out, &err);

    for (i = 0; status == PAY_OK && i < file->sums.count; i++) {
        status = pay_payout_file_item(pain, &items[i], &err);
    }

    return status == PAY_OK ? pay_payout_file_end(pain)
                            : make_refused(&err, status);
}


static pay_status_t
make_refused(const pay_err_t *err, pay_status_t status)
{
    fprintf(stderr, "payctl: " FILE_WHAT ": %s\n",
            err->detail != NULL ? err->detail : "no file can be made");

    return status;
}


/* PAY_INVALID ends the file: the disk is full. */
static pay_status_t
make_write(void *data, pay_str_t bytes)
{
    ssize_t      n;
    make_out_t  *out = data;

    while (bytes.len != 0) {
        n = write(out->fd, bytes.data, bytes.len);

        if (n <= 0 && errno != EINTR) {
            out->is_lost = 1;
            return PAY_INVALID;
        }

        if (n > 0) {
            bytes.data += n;
            bytes.len -= (size_t) n;
        }
    }

    return PAY_OK;
}
