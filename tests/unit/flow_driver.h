/*
 * Plays the world for a flow: gives it events, keeps its last effect and
 * holds every effect against what must be true of all of them (no secret, no
 * hosted URL and no redirect_url before a token was stored).  Rows and answers
 * are poisoned and freed behind each step, as the gateway's are.
 */

#ifndef FLOW_DRIVER_H
#define FLOW_DRIVER_H

#include "psp_world.h"

#include "pay_flow.h"


#define NOW          INT64_C(1795236600)
#define EXPIRES      INT64_C(1795240200)
#define HANDLE       "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA1"
#define BASE         "https://pay.example.com"
#define RETURN_URL   "https://shop.example.com/done"
#define REQUEST_ID   "0199c0de-0000-7000-8000-00000000000f"
#define RESULT_KEY   "CANARY-result-key-0123456789abcdef"
#define BODY_WITH(members, orders)                                            \
    "{\"checkout_id\":\"c-1\",\"buyer_info\":{\"email\":\"b@example.com\"},"  \
    "\"return_url\":\"" RETURN_URL "\"," members                              \
    "\"payment_orders\":[" orders "]}"
#define BODY(orders)  BODY_WITH("", orders)
#define ORDER(id, amount, currency)                                           \
    "{\"payment_order_id\":\"" id "\",\"seller_account\":\"seller-1\","       \
    "\"amount\":\"" amount "\",\"currency\":\"" currency "\"}"
#define STORED(id, minor, status, reason)                                     \
    "{\"id\":\"" id "\",\"seller\":\"seller-1\",\"amount\":" minor ","        \
    "\"status\":\"" status "\",\"reason\":" reason "}"
/* The same with what became of its money: MONEY's arguments. */
#define STORED_MONEY(id, minor, status, money)                                \
    "{\"id\":\"" id "\",\"seller\":\"seller-1\",\"amount\":" minor ","        \
    "\"status\":\"" status "\",\"reason\":null,\"money\":" money "}"
#define MONEY(manual, authorized, captured, refunding, refunded, back)        \
    "{\"manual\":" manual ",\"authorized\":" authorized ",\"captured\":"      \
    captured ",\"refunding\":" refunding ",\"refunded\":" refunded ","        \
    "\"charged_back\":" back ",\"credit_currency\":null}"
#define ONE_ORDER    ORDER("order-1", "30.00", "USD")

#define CHANGE_ID    "0199c0de-0000-7000-8000-0000000000cc"

enum { WORLD_STRIPE, WORLD_GENERIC, WORLD_PSPS };
enum { DB_FAILURES = 4 };

/* The VIEW columns of a row; NULL is NULL. */
typedef struct {
    const char  *merchant_id, *checkout_id, *checkout_uuid, *psp, *nonce,
                *handle, *token, *alias, *hosted_url, *return_url, *base_url,
                *currency;
    int64_t      total_minor, expires_s;
    const char  *registration;
    int64_t      attempt;
    const char  *code;
    int64_t      version;
    const char  *orders;
} view_t;

/* The ORDER columns of a row; NULL is NULL, and so is no money. */
typedef struct {
    const char  *checkout_id, *psp, *handle, *token, *base_url;
    int64_t      expires_s, version;
    const char  *first_status, *id, *seller, *currency;
    int64_t      amount_minor;
    const char  *status, *reason;
    int64_t      authorized_minor, captured_minor, refunding_minor,
                 refunded_minor, charged_back_minor;
    const char  *credit_currency;
    int64_t      credit_minor;
    const char  *credit_rate, *credit_until, *decline;
} order_row_t;

/* The CHANGE columns of a row; NULL is NULL. */
typedef struct {
    const char  *id, *kind, *order_id, *status;
    int64_t      amount_minor;
    const char  *currency, *reason, *code, *reference, *metadata, *created_at,
                *changed_at, *payment_reference;
} change_row_t;

typedef struct {
    pay_heap_t             *own;       /* what the test itself needs */
    pay_heap_t             *heap;      /* the flow's; may be told to fail */
    pay_env_t               env;
    pay_psp_t               psps[WORLD_PSPS];
    const pay_psp_t        *offered[WORLD_PSPS];
    pay_merchant_t          merchants[2];
    int                     no_shop;     /* pages have no way back */
    pay_secret_t            webhook_keys[2];
    pay_flow_t              flow;
    pay_effect_t            effect;
    int64_t                 now_s;
    int                     tortured;
    int                     ended;     /* DONE, or the flow was not made */
    int                     stored;    /* a row with a token was given */
    unsigned                db_count;
    unsigned                http_count;
    pay_payment_request_t   request;
    pay_create_input_t      create;
} world_t;

typedef void (*world_play_pt)(world_t *world);


void world_open(world_t *world);
void world_close(world_t *world);

/* Notes what a pay_flow_…() returned; anything but PAY_OK ends the play. */
void world_made(world_t *world, pay_status_t status);

/* The events; an ended flow takes none (a mistake, unless tortured). */
void world_start(world_t *world);
void world_row(world_t *world, const char *outcome, const view_t *view);
void world_text_row(world_t *world, const char *outcome, const char *text);
/* get_order's */
void world_order_row(world_t *world, const char *outcome,
    const order_row_t *order);
/* Rows of the CHANGE columns: begin_change's and get_change's. */
void world_change_row(world_t *world, const char *outcome,
    const change_row_t *change, const view_t *view);
/* begin_dispatch's, begin_backfill's */
void world_numbers_row(world_t *world, const char *outcome, int64_t first,
    int64_t second);
void world_db_failed(world_t *world, pay_db_failure_t failure);
void world_http(world_t *world, pay_http_answer_t answer);
/* A file that answers, so old. */
void world_file(world_t *world, const char *body, int64_t age_ms);
/* The PSP's fixture of that name, with that HTTP status. */
void world_answer(world_t *world, const pay_psp_adapter_t *adapter,
    unsigned status, const char *fixture_name);
/* No answer: how far the call came, and why. */
void world_no_answer(world_t *world, pay_sent_t sent, const char *failure);

/* Runs `play` with the 1st, 2nd, ... allocation of the flow failing until none
 * fails: each time the end is the 500 problem or the same whole reply as
 * without a failure.  Returns the failures. */
unsigned world_torture(world_play_pt play);

/* The fixtures' checkout: one order-1 of 30.00 USD, being registered. */
view_t view_of(const pay_psp_adapter_t *adapter);
/* The same, registered; its orders are EXECUTING. */
view_t view_registered(const pay_psp_adapter_t *adapter);
/* order-1 of view_registered() and of view_of(). */
order_row_t order_executing(const pay_psp_adapter_t *adapter);
order_row_t order_registering(const pay_psp_adapter_t *adapter);
/* A row of ORDER columns, in the arena. */
const pay_value_t *order_columns(pay_arena_t *arena, const order_row_t *row);
/* A row of CHANGE columns, in the arena. */
const pay_value_t *change_columns(pay_arena_t *arena, const change_row_t *row);
/* A refund of 5.00 USD of order-1, not sent yet. */
change_row_t change_of(const char *kind);
/* A row of VIEW columns, in the arena. */
const pay_value_t *view_columns(pay_arena_t *arena, const view_t *view);

/* POST /v1/payments with that body at that PSP: world->create is filled; the
 * second makes and starts the flow, too. */
void create_fill(world_t *world, unsigned psp, const char *body);
void create_open(world_t *world, unsigned psp, const char *body);

/* Expectations about the last effect. */
void expect_db(const world_t *world, pay_op_id_t op);
void expect_arg(const world_t *world, unsigned index, const char *text);
void expect_http(const world_t *world);
const pay_reply_t *expect_reply(const world_t *world, pay_reply_kind_t kind,
    unsigned status);
const pay_reply_t *expect_problem(const world_t *world, const char *slug,
    unsigned status);


#endif /* FLOW_DRIVER_H */
