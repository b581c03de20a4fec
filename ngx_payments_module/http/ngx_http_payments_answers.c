/*
 * Answers of the console that a worker keeps for some seconds.
 *
 * Fifty pages that ask every ten seconds for the same answer cost one look into
 * the database and not fifty.  The key holds all that an answer depends on, and
 * is compared byte by byte.  An answer ends after LIFE_MIN_MS, or after
 * LIFE_FACTOR times as long as the database had taken to make it, so that those
 * who poll a dear view cost half a per cent of a core; never after more than
 * LIFE_MAX_MS.  There are at most ANSWERS of at most BODY_MAX bytes, ALL_MAX
 * together, in each worker.
 */

#include "http/ngx_http_payments_answers.h"
#include "http/ngx_http_payments_assets.h"
#include "http/ngx_http_payments_request.h"
#include "http/ngx_http_payments_send.h"
#include "pay_crypto.h"


#define LIFE_MIN_MS  5000
#define LIFE_MAX_MS  30000
#define LIFE_FACTOR  200
#define ANSWERS      64
#define BODY_MAX     (256 * 1024)
#define ALL_MAX      (4 * 1024 * 1024)
#define KEY_MAX      (16 * 1024)


/* One block of memory: the entry, its key, its body. */
typedef struct {
    size_t      key_len;
    size_t      body_len;
    ngx_msec_t  made_at;
    ngx_msec_t  life_ms;
    u_char      etag[NGX_PAYMENTS_ANSWER_TAG + 1];
    u_char      bytes[];       /* key, body */
} kept_t;


static ngx_msec_t oldest_wanted(ngx_http_request_t *r);
static kept_t **find(const ngx_str_t *key);
static void sweep(void);
static void drop(kept_t **place);
static kept_t **place_for(size_t size);
static ngx_msec_t age_ms(const kept_t *kept);


/* of this worker */
static kept_t  *answers[ANSWERS];
static size_t   total;


ngx_int_t
ngx_http_payments_answer_find(ngx_http_request_t *r, ngx_str_t *key,
    ngx_http_payments_answer_t *answer)
{
    kept_t  **place;

    sweep();
    place = find(key);

    if (place == NULL || age_ms(*place) >= oldest_wanted(r)) {
        return NGX_DECLINED;
    }

    answer->body.data = (*place)->bytes + (*place)->key_len;
    answer->body.len = (*place)->body_len;
    answer->age = age_ms(*place) / 1000;
    ngx_memcpy(answer->etag, (*place)->etag, sizeof(answer->etag));

    return NGX_OK;
}


/* Milliseconds.  Without a word about it a request gets the present state, so
 * that a person who has changed something sees the change. */
static ngx_msec_t
oldest_wanted(ngx_http_request_t *r)
{
    ngx_int_t         wanted = ngx_http_payments_max_age(r);
    ngx_uint_t        count;
    ngx_table_elt_t  *header;

    if (wanted != NGX_DECLINED) {
        return ngx_min((ngx_msec_t) wanted, LIFE_MAX_MS / 1000) * 1000;
    }

    header = ngx_http_payments_find_header(r, "If-None-Match", &count);

    return header != NULL ? LIFE_MAX_MS : 0;
}


static kept_t **
find(const ngx_str_t *key)
{
    ngx_uint_t  i;

    for (i = 0; i < ANSWERS; i++) {
        if (answers[i] != NULL && answers[i]->key_len == key->len
            && ngx_memcmp(answers[i]->bytes, key->data, key->len) == 0)
        {
            return &answers[i];
        }
    }

    return NULL;
}


static void
sweep(void)
{
    ngx_uint_t  i;

    for (i = 0; i < ANSWERS; i++) {
        if (answers[i] != NULL && age_ms(answers[i]) >= answers[i]->life_ms) {
            drop(&answers[i]);
        }
    }
}


static void
drop(kept_t **place)
{
    total -= (*place)->key_len + (*place)->body_len;
    ngx_free(*place);
    *place = NULL;
}


/* The clock does not run back. */
static ngx_msec_t
age_ms(const kept_t *kept)
{
    return ngx_current_msec - kept->made_at;
}


/* No memory is no trouble: the next one asks the database, too. */
void
ngx_http_payments_answer_keep(ngx_str_t *key,
    const ngx_http_payments_answer_t *answer, ngx_msec_t cost_ms)
{
    kept_t  **place, *kept;

    sweep();
    place = find(key);

    if (place != NULL) {
        drop(place);
    }

    if (answer->body.len > BODY_MAX || key->len > KEY_MAX) {
        return;
    }

    place = place_for(key->len + answer->body.len);
    kept = ngx_alloc(sizeof(kept_t) + key->len + answer->body.len,
                     ngx_cycle->log);
    if (kept == NULL) {
        return;
    }

    kept->key_len = key->len;
    kept->body_len = answer->body.len;
    kept->made_at = ngx_current_msec;
    kept->life_ms = ngx_max(LIFE_MIN_MS,
        ngx_min(cost_ms, LIFE_MAX_MS / LIFE_FACTOR) * LIFE_FACTOR);
    ngx_memcpy(kept->etag, answer->etag, sizeof(kept->etag));
    ngx_memcpy(kept->bytes, key->data, key->len);
    ngx_memcpy(kept->bytes + key->len, answer->body.data, answer->body.len);
    total += key->len + answer->body.len;
    *place = kept;
}


/* A free place, and room for so many bytes: the oldest answers go. */
static kept_t **
place_for(size_t size)
{
    ngx_uint_t   i;
    kept_t     **free, **oldest;

    for ( ;; ) {
        free = NULL;
        oldest = NULL;

        for (i = 0; i < ANSWERS; i++) {
            if (answers[i] == NULL) {
                free = &answers[i];

            } else if (oldest == NULL
                       || age_ms(answers[i]) > age_ms(*oldest))
            {
                oldest = &answers[i];
            }
        }

        if (free != NULL && total + size <= ALL_MAX) {
            return free;
        }

        drop(oldest);
    }
}


ngx_int_t
ngx_http_payments_answer_make(pay_str_t body,
    ngx_http_payments_answer_t *answer)
{
    u_char  digest[PAY_SHA256_SIZE];

    if (pay_sha256(body, digest) != PAY_OK) {
        return NGX_ERROR;
    }

    answer->body.data = (u_char *) body.data;
    answer->body.len = body.len;
    answer->age = 0;
    answer->etag[0] = '"';
    (void) ngx_hex_dump(answer->etag + 1, digest,
                        (NGX_PAYMENTS_ANSWER_TAG - 2) / 2);
    answer->etag[NGX_PAYMENTS_ANSWER_TAG - 1] = '"';
    answer->etag[NGX_PAYMENTS_ANSWER_TAG] = '\0';

    return NGX_OK;
}


/* Age says how old it is (RFC 9111 5.1): Date less Age is the time of which it
 * tells. */
ngx_int_t
ngx_http_payments_answer_send(ngx_http_request_t *r,
    ngx_http_payments_answer_t *answer)
{
    ngx_str_t  etag = { NGX_PAYMENTS_ANSWER_TAG, answer->etag };
    ngx_str_t  none = ngx_null_string;
    ngx_str_t  type = ngx_string("application/json");

    if (ngx_http_payments_add_header(r, "ETag", etag) != NGX_OK
        || ngx_http_payments_add_number(r, "Age", "%L", answer->age) != NGX_OK)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    return ngx_http_payments_is_known(r, answer->etag)
           ? ngx_http_payments_send(r, NGX_HTTP_NOT_MODIFIED, &none, &none)
           : ngx_http_payments_send(r, NGX_HTTP_OK, &type, &answer->body);
}
