/*
 * Reads a settlement file in pieces, one in a turn of the event loop at most,
 * twice: for its digest, and for its rows.  A file that has come to its end is
 * put into a folder of its directory, unless its name has another file by
 * then.  One that is downloaded has its digest from the download, and no name
 * in any directory.
 */

#include "run/ngx_payments_effect_file.h"
#include "io/ngx_payments_directory.h"
#include "run/ngx_payments_fetch.h"
#include "util/ngx_payments_process.h"
#include "pay_crypto.h"


#define PIECE         65536            /* bytes */
#define DIGEST_PIECE  (4 * PIECE)      /* takes a millisecond */
#define TURN_MS       1
#define SUFFIX_BYTES  8                /* of a digest, behind a name */


typedef struct {
    ngx_payments_flow_t              *flow;
    const ngx_payments_settlement_t  *settlement;
    ngx_event_t                       turn;
    ngx_fd_t                          fd;
    struct stat                       opened;    /* before the first byte */
    EVP_MD_CTX                       *digest;
    u_char                           *piece;
    u_char                            name[NGX_PAYMENTS_NAME_MAX + 1];
    u_char                            shown[NGX_PAYMENTS_NAME_MAX];
    u_char                            sha256[PAY_SHA256_SIZE];
    pay_file_t                        said;
    ngx_payments_fetch_t              fetch;
} file_t;


static file_t *file_of(ngx_payments_flow_t *flow);
static void file_cleanup(void *data);
static ngx_int_t file_next(file_t *file);
static ngx_int_t file_fetch(file_t *file, const pay_effect_t *effect);
static void file_fetched(ngx_payments_fetch_t *fetch,
    const pay_http_answer_t *http);
static ngx_int_t file_begin(file_t *file);
static void digest_handler(ngx_event_t *ev);
static void read_handler(ngx_event_t *ev);
static ngx_int_t read_piece(file_t *file, size_t size, ssize_t *n);
static ngx_int_t digest_end(file_t *file, u_char out[PAY_SHA256_SIZE]);
static ngx_int_t file_put(file_t *file, const char *folder);
static void take_turn(file_t *file, ngx_event_handler_pt handler);
static void show_name(file_t *file);
static void answer(file_t *file);


ngx_int_t
ngx_payments_effect_file(ngx_payments_flow_t *flow, pay_effect_t *effect,
    pay_input_t *input)
{
    ngx_int_t                    rc = NGX_OK;
    file_t                      *file;
    ngx_payments_settlement_t  **all = flow->pmcf->settlements.elts;

    static pay_file_t            no_memory = {
        .failure = PAY_FAILURE_MEMORY
    };

    ngx_memzero(input, sizeof(pay_input_t));
    input->kind = PAY_INPUT_FILE;

    file = file_of(flow);
    if (file == NULL) {
        input->file = &no_memory;
        return NGX_OK;
    }

    file->settlement = all[effect->settlement->index];
    ngx_memzero(&file->said, sizeof(pay_file_t));
    input->file = &file->said;

    switch (effect->file) {

    case PAY_FILE_NEXT:
        rc = file_next(file);
        break;

    case PAY_FILE_FETCH:
        rc = file_fetch(file, effect);
        break;

    case PAY_FILE_READ:
        take_turn(file, read_handler);
        rc = NGX_AGAIN;
        break;

    case PAY_FILE_BOOKED:
        rc = file_put(file, "booked");
        break;

    case PAY_FILE_STAGED:
        rc = file_put(file, "staged");
        break;

    case PAY_FILE_REFUSED:
        rc = file_put(file, "refused");
        break;
    }

    return rc;
}


static file_t *
file_of(ngx_payments_flow_t *flow)
{
    file_t              *file;
    ngx_pool_cleanup_t  *cln;

    if (flow->alone->file != NULL) {
        return flow->alone->file;
    }

    cln = ngx_pool_cleanup_add(flow->pool, sizeof(file_t));
    if (cln == NULL) {
        return NULL;
    }

    file = cln->data;
    ngx_memzero(file, sizeof(file_t));
    file->fd = NGX_INVALID_FILE;
    file->flow = flow;
    file->piece = ngx_palloc(flow->pool, DIGEST_PIECE);
    cln->handler = file_cleanup;

    if (file->piece == NULL) {
        return NULL;
    }

    flow->alone->file = file;

    return file;
}


static void
file_cleanup(void *data)
{
    file_t  *file = data;

    if (file->turn.timer_set) {
        ngx_del_timer(&file->turn);
    }

    if (file->fd != NGX_INVALID_FILE) {
        (void) ngx_close_file(file->fd);
    }

    EVP_MD_CTX_free(file->digest);
}


/* NGX_OK: the answer is in file->said. */
static ngx_int_t
file_next(file_t *file)
{
    switch (ngx_payments_directory_next(&file->settlement->dir,
                                        file->settlement->age_s, file->name))
    {
    case NGX_OK:
        break;

    case NGX_DECLINED:
        return NGX_OK;

    default:
        /* other hosts may have it: the row of the source is known to all */
        file->said.failure = ngx_errno == NGX_ENOENT ? PAY_FAILURE_NONE
                                                     : PAY_FAILURE_UNREADABLE;
        return NGX_OK;
    }

    file->fd = ngx_payments_directory_open(&file->settlement->dir,
                                           file->name, &file->opened);

    if (file->fd == NGX_INVALID_FILE) {
        file->said.failure = PAY_FAILURE_UNREADABLE;
        return NGX_OK;
    }

    file->digest = EVP_MD_CTX_new();

    if (file->digest == NULL || file_begin(file) != NGX_OK) {
        file->said.failure = PAY_FAILURE_MEMORY;
        return NGX_OK;
    }

    take_turn(file, digest_handler);

    return NGX_AGAIN;
}


/* NGX_OK: the answer is in file->said. */
static ngx_int_t
file_fetch(file_t *file, const pay_effect_t *effect)
{
    ngx_payments_fetch_t  *fetch = &file->fetch;

    if (file->fd != NGX_INVALID_FILE) {
        (void) ngx_close_file(file->fd);
    }

    if (file->digest == NULL) {
        file->digest = EVP_MD_CTX_new();
    }

    file->fd = ngx_payments_fetch_file();

    if (file->fd == NGX_INVALID_FILE) {
        file->said.failure = PAY_FAILURE_NO_FILE;
        return NGX_OK;
    }

    if (file->digest == NULL || file_begin(file) != NGX_OK) {
        file->said.failure = PAY_FAILURE_MEMORY;
        return NGX_OK;
    }

    fetch->fd = file->fd;
    fetch->digest = file->digest;
    fetch->done = file_fetched;
    fetch->data = file;

    switch (ngx_payments_fetch(fetch, file->flow, file->settlement,
                               &effect->http))
    {
    case NGX_OK:
        return NGX_AGAIN;

    case NGX_BUSY:
        file->said.failure = PAY_FAILURE_BUSY;
        return NGX_OK;

    default:
        file->said.failure = PAY_FAILURE_MEMORY;
        return NGX_OK;
    }
}


/* Only a body that came to its end counts. */
static void
file_fetched(ngx_payments_fetch_t *fetch, const pay_http_answer_t *http)
{
    file_t  *file = fetch->data;

    file->said.status = http->status;

    if (fetch->is_full) {
        file->said.failure = PAY_FAILURE_NO_FILE;

    } else if (http->failure != PAY_FAILURE_NONE) {
        file->said.failure = http->failure;

    } else if (digest_end(file, file->sha256) != NGX_OK
               || file_begin(file) != NGX_OK)
    {
        file->said.failure = PAY_FAILURE_MEMORY;

    } else {
        file->said.sha256 = (pay_str_t) { PAY_SHA256_SIZE, file->sha256 };
    }

    answer(file);
}


static ngx_int_t
file_begin(file_t *file)
{
    return lseek(file->fd, 0, SEEK_SET) == 0
           && EVP_DigestInit_ex(file->digest, EVP_sha256(), NULL) == 1
           ? NGX_OK : NGX_ERROR;
}


static void
digest_handler(ngx_event_t *ev)
{
    file_t   *file = ev->data;
    ssize_t   n;

    if (read_piece(file, DIGEST_PIECE, &n) != NGX_OK) {
        file->said.failure = PAY_FAILURE_UNREADABLE;

    } else if (n > 0) {
        take_turn(file, digest_handler);
        return;

    } else if (digest_end(file, file->sha256) != NGX_OK
               || file_begin(file) != NGX_OK)
    {
        file->said.failure = PAY_FAILURE_MEMORY;

    } else {
        show_name(file);
        file->said.sha256 = (pay_str_t) { PAY_SHA256_SIZE, file->sha256 };
    }

    answer(file);
}


static void
read_handler(ngx_event_t *ev)
{
    file_t   *file = ev->data;
    ssize_t   n;
    u_char    sha256[PAY_SHA256_SIZE];

    if (read_piece(file, PIECE, &n) != NGX_OK) {
        file->said.failure = PAY_FAILURE_UNREADABLE;

    } else if (n > 0) {
        file->said.bytes = (pay_str_t) { (size_t) n, file->piece };

    } else if (digest_end(file, sha256) != NGX_OK) {
        file->said.failure = PAY_FAILURE_MEMORY;

    } else {
        file->said.is_end = 1;
        file->said.is_same = ngx_memcmp(sha256, file->sha256,
                                        PAY_SHA256_SIZE) == 0;
    }

    answer(file);
}


static ngx_int_t
read_piece(file_t *file, size_t size, ssize_t *n)
{
    *n = read(file->fd, file->piece, size);

    return *n >= 0 && EVP_DigestUpdate(file->digest, file->piece,
                                       (size_t) *n) == 1
           ? NGX_OK : NGX_ERROR;
}


static ngx_int_t
digest_end(file_t *file, u_char out[PAY_SHA256_SIZE])
{
    return EVP_DigestFinal_ex(file->digest, out, NULL) == 1 ? NGX_OK
                                                            : NGX_ERROR;
}


static ngx_int_t
file_put(file_t *file, const char *folder)
{
    u_char     suffix[2 * SUFFIX_BYTES + 1], *end;
    ngx_int_t  rc;

    end = ngx_hex_dump(suffix, file->sha256, SUFFIX_BYTES);
    *end = '\0';

    rc = ngx_payments_directory_move(&file->settlement->dir, file->name,
                                     &file->opened, folder,
                                     (const char *) suffix);

    if (rc == NGX_DECLINED) {
        ngx_log_error(NGX_LOG_NOTICE, ngx_cycle->log, 0,
                      "payments: a settlement file was replaced or written to "
                      "while it was read, the next look reads the file that "
                      "has its name now, source:%V",
                      &ngx_payments_nstr(file->settlement->source.name));

    } else if (rc != NGX_OK) {
        ngx_log_error(NGX_LOG_ERR, ngx_cycle->log, ngx_errno,
                      "payments: a settlement file cannot be moved into the "
                      "folder %s of its directory: workers need the right to "
                      "write there, source:%V", folder,
                      &ngx_payments_nstr(file->settlement->source.name));
        file->said.failure = PAY_FAILURE_UNREADABLE;
    }

    return NGX_OK;
}


static void
take_turn(file_t *file, ngx_event_handler_pt handler)
{
    ngx_payments_timer_init(&file->turn, handler, ngx_cycle->log);
    file->turn.data = file;
    ngx_add_timer(&file->turn, TURN_MS);
}


/* As PostgreSQL and operators may see it. */
static void
show_name(file_t *file)
{
    size_t  i, len = ngx_strlen(file->name);

    for (i = 0; i < len; i++) {
        file->shown[i] = file->name[i] >= ' ' && file->name[i] <= '~'
                         ? file->name[i] : '?';
    }

    file->said.name = (pay_str_t) { len, file->shown };
}


static void
answer(file_t *file)
{
    pay_input_t  input;

    ngx_memzero(&input, sizeof(pay_input_t));
    input.kind = PAY_INPUT_FILE;
    input.file = &file->said;

    file->flow->step(file->flow, &input);
}
