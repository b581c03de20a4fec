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

/* In the order of their names, as pay_env_t has them. */
enum { WORLD_GENERIC, WORLD_STRIPE, WORLD_PSPS };
enum { DB_FAILURES = 4 };

typedef struct {
    pay_heap_t             *own;       /* what the test itself needs */
    pay_heap_t             *heap;      /* the flow's; may be told to fail */
    pay_env_t               env;
    pay_psp_conf_t          psps[WORLD_PSPS];
    const pay_psp_conf_t   *offered[WORLD_PSPS];
    pay_merchant_t          merchants[2];
    int                     no_shop;     /* pages have no way back */
    pay_secret_t            webhook_keys[2];
    pay_flow_t              flow;
    pay_effect_t            effect;
    int64_t                 now_s;
    int                     is_stopping;     /* the process is to end */
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
/* A result of the operation that was asked for last: its outcome and a row of
 * its shape, or none (NULL).  It goes through PostgreSQL's format. */
void world_result(world_t *world, pay_outcome_t outcome, const void *row);
/* The same where the row may only be of that shape; for a visit, the row
 * without a word about its page. */
void world_row(world_t *world, pay_outcome_t outcome,
    const pay_checkout_row_t *row);
void world_visit_row(world_t *world, pay_outcome_t outcome,
    const pay_visit_row_t *row);
void world_order_row(world_t *world, pay_outcome_t outcome,
    const pay_order_row_t *row);
void world_change_row(world_t *world, pay_outcome_t outcome,
    const pay_change_row_t *row);
void world_dispatch_row(world_t *world, pay_outcome_t outcome,
    int64_t attempt, int64_t sends);
/* claim_replay's; `message_id` may be NULL. */
void world_replay_row(world_t *world, const char *psp, const char *event_id,
    const char *message_id, pay_str_t body);
void world_db_failed(world_t *world, pay_db_failure_t failure);
/* Each window that was counted has so many. */
void world_counted(world_t *world, uint32_t count);
void world_http(world_t *world, pay_http_answer_t answer);
/* A file that answers, so old. */
void world_file(world_t *world, const char *body, int64_t age_ms);
/* What came of PAY_DO_FILE, whose slices die. */
void world_piece(world_t *world, pay_file_t file);
/* The PSP's fixture of that name, with that HTTP status. */
void world_answer(world_t *world, const pay_psp_adapter_t *adapter,
    unsigned status, const char *fixture_name);
/* No answer: how far the call came, and why. */
void world_no_answer(world_t *world, pay_sent_t sent, pay_failure_t failure);

/* Runs `play` with the 1st, 2nd, ... allocation of the flow failing until none
 * fails: each time the end is the 500 problem or the same whole reply as
 * without a failure.  Returns the failures. */
unsigned world_torture(world_play_pt play);

/* The fixtures' checkout: one order-1 of 30.00 USD, being registered. */
pay_checkout_row_t view_of(const pay_psp_adapter_t *adapter);
/* The same, registered; its orders are EXECUTING. */
pay_checkout_row_t view_registered(const pay_psp_adapter_t *adapter);
/* Its orders are these: "[" STORED(…) "," … "]". */
void set_orders(pay_checkout_row_t *view, const char *stored);
/* order-1 of view_registered() and of view_of(). */
pay_order_row_t order_executing(const pay_psp_adapter_t *adapter);
pay_order_row_t order_registering(const pay_psp_adapter_t *adapter);
/* A refund of 5.00 USD of order-1, not sent yet; and its checkout. */
pay_change_row_t change_of(const char *kind);
pay_change_row_t change_with(const char *kind,
    const pay_checkout_row_t *checkout);
/* A row goes to PostgreSQL's format and back, in the arena; PAY_OUTCOME_NONE
 * when the decoder refuses it. */
pay_result_t result_of(pay_arena_t *arena, pay_op_id_t op,
    pay_outcome_t outcome, const void *row);

/* POST /v1/payments with that body at that PSP: world->create is filled; the
 * second makes and starts the flow, too. */
void create_fill(world_t *world, unsigned psp, const char *body);
void create_open(world_t *world, unsigned psp, const char *body);

/* Expectations about the last effect.  asked(world, begin_payment)->psp: the
 * arguments of that operation, which must be the one asked for. */
void expect_db(const world_t *world, pay_op_id_t op);
#define OP(name, id, class, access, stage, kept)                              \
    static inline const pay_##name##_in_t *                                   \
    asked_##name(const world_t *world)                                        \
    {                                                                         \
        expect_db(world, PAY_OP_##id);                                        \
        return world->effect.args;                                            \
    }
#include "op/ops.list"
#define asked(world, op)  asked_##op(world)
/* A text of it; NULL: it is empty, which is NULL where it may be. */
void expect_text(pay_str_t got, const char *text);
#define expect_arg(world, op, member, text)                                   \
    expect_text(asked_##op(world)->member, text)
void expect_http(const world_t *world);
const pay_reply_t *expect_reply(const world_t *world, pay_reply_kind_t kind,
    unsigned status);
const pay_reply_t *expect_problem(const world_t *world, const char *slug,
    unsigned status);

/* How a call to a PSP ended. */
typedef struct {
    pay_sent_t      sent;
    unsigned        status;
    const char     *body;
    pay_failure_t   failure;
} ending_t;

pay_http_answer_t answer_of(const ending_t *ending);


#endif /* FLOW_DRIVER_H */
