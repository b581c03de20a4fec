/*
 * The order's state machine as tables in C: the rows of transition.list, and
 * names.  It moves nothing: PostgreSQL judges facts by the same rows
 * (sql/functions/22_judge.sql), and ci/check-ops compares the two through
 * payctl ops.  Flows, renderers and adapters take the names.
 */

#include "pay_state.h"
#include "pay_status.h"


/* The name is that of transition.list and of SQL; the reason is that of a
 * FAILED order, empty for facts that end nothing. */
typedef struct {
    const char  *name;
    const char  *reason;
} pay_fact_text_t;


/* the words of transition.list; 0 asks for nothing */
enum { ACTOR_any = 0, ACTOR_psp, ACTOR_gateway, ACTOR_others };
enum { CAPTURE_any = 0, CAPTURE_automatic, CAPTURE_manual };
enum {
    PROVIDED_always = 0, PROVIDED_late, PROVIDED_partly, PROVIDED_closing,
    PROVIDED_unbooked, PROVIDED_held_late, PROVIDED_again
};

/* a PSP's facts, and behind them what only the gateway says */
enum {
    KIND_none = PAY_FACT_NONE,
    KIND_pending = PAY_FACT_PENDING,
    KIND_paid = PAY_FACT_PAID,
    KIND_declined = PAY_FACT_DECLINED,
    KIND_expired = PAY_FACT_EXPIRED,
    KIND_cancelled = PAY_FACT_CANCELLED,
    KIND_rejected = PAY_FACT_REJECTED,
    KIND_authorized = PAY_FACT_AUTHORIZED,
    KIND_attempt_declined = PAY_FACT_ATTEMPT,
    KIND_refused,
    KIND_blocked,
    KIND_registered,
    KIND_registration_unknown
};

#define IS_PLAIN(actor, capture, is_held, provided)                           \
    (ACTOR_##actor == 0 && CAPTURE_##capture == 0 && !(is_held)               \
     && PROVIDED_##provided == 0)


/* The list twice: NEWS is empty while TRANSITION makes rows, and the other way
 * round below.  Words become strings for ci/check-ops and payctl ops, and
 * numbers for this file. */
static const pay_transition_row_t  pay_transition_table[] = {
#define NEWS(news, logged, told, is_shown)
#define TRANSITION(kind, status, actor, capture, is_held, provided, news,     \
                   next)                                                      \
    { #kind, #status, #actor, #capture, is_held, #provided, #news, #next,     \
      KIND_##kind, PAY_##status, PAY_##next,                                  \
      IS_PLAIN(actor, capture, is_held, provided) },
#include "transition.list"
#undef TRANSITION
#undef NEWS
};


static const pay_news_row_t  pay_news_table[] = {
#define NEWS(news, logged, told, is_shown)  { #news, #logged, told, is_shown },
#define TRANSITION(kind, status, actor, capture, is_held, provided, news, next)
#include "transition.list"
#undef TRANSITION
#undef NEWS
};


/* Each fact about each state has its plain row: the machine is total.  The
 * list's macros add up, so that they cannot stand in parentheses:
 * NOLINTBEGIN(bugprone-macro-parentheses) */
enum {
    pay_plain_rows = 0
#define NEWS(news, logged, told, is_shown)
#define TRANSITION(kind, status, actor, capture, is_held, provided, news,     \
                   next)                                                      \
    + (IS_PLAIN(actor, capture, is_held, provided)                            \
       && (int) KIND_##kind < PAY_FACT_COUNT)
#include "transition.list"
#undef TRANSITION
#undef NEWS
};
/* NOLINTEND(bugprone-macro-parentheses) */

_Static_assert(pay_plain_rows == PAY_STATE_COUNT * PAY_FACT_COUNT,
               "a row for each fact about an order in each state");


static const char  *const pay_state_names[] = {
    [PAY_NOT_STARTED] = "NOT_STARTED",
    [PAY_EXECUTING] = "EXECUTING",
    [PAY_SUCCESS] = "SUCCESS",
    [PAY_FAILED] = "FAILED"
};
PAY_ROWS(pay_state_names, PAY_STATE_COUNT);


static const pay_fact_text_t  pay_fact_texts[] = {
    [PAY_FACT_NONE] = { "none", "" },
    [PAY_FACT_PENDING] = { "pending", "" },
    [PAY_FACT_PAID] = { "paid", "" },
    [PAY_FACT_DECLINED] = { "declined", "declined" },
    [PAY_FACT_EXPIRED] = { "expired", "expired" },
    [PAY_FACT_CANCELLED] = { "cancelled", "cancelled" },
    [PAY_FACT_REJECTED] = { "rejected", "rejected" },
    [PAY_FACT_AUTHORIZED] = { "authorized", "" },
    [PAY_FACT_ATTEMPT] = { "attempt_declined", "" }
};
PAY_ROWS(pay_fact_texts, PAY_FACT_COUNT);


/* PostgreSQL decides every move of an order.  This function reads the plain
 * rows of the same list; tests spell the machine out a second time and
 * compare. */
pay_transition_t
pay_state_next(pay_state_t state, pay_fact_t fact)
{
    unsigned                     i, count;
    pay_transition_t             transition;
    const pay_transition_row_t  *rows;

    /* a number that is no state or no fact moves nothing */

    transition.state = state;
    transition.changed = 0;

    rows = pay_state_transitions(&count);

    for (i = 0; i < count; i++) {
        if (rows[i].is_plain && rows[i].state == (int) state
            && rows[i].fact == (int) fact && (int) fact < PAY_FACT_COUNT)
        {
            transition.state = (pay_state_t) rows[i].next_state;
            transition.changed = transition.state != state;
        }
    }

    return transition;
}


const pay_transition_row_t *
pay_state_transitions(unsigned *count)
{
    *count = sizeof(pay_transition_table) / sizeof(pay_transition_table[0]);

    return pay_transition_table;
}


const pay_news_row_t *
pay_state_news(unsigned *count)
{
    *count = sizeof(pay_news_table) / sizeof(pay_news_table[0]);

    return pay_news_table;
}


/* "" for a number that is no state: names go to logs and answers, and a crash
 * there would cost more than an empty word. */
const char *
pay_state_name(pay_state_t state)
{
    if ((unsigned) state >= PAY_STATE_COUNT) {
        return "";
    }

    return pay_state_names[state];
}


const char *
pay_fact_reason(pay_fact_t fact)
{
    if ((unsigned) fact >= PAY_FACT_COUNT) {
        return "";
    }

    return pay_fact_texts[fact].reason;
}


const char *
pay_fact_name(pay_fact_t fact)
{
    if ((unsigned) fact >= PAY_FACT_COUNT) {
        return "";
    }

    return pay_fact_texts[fact].name;
}


/* Exact case; 0 for another word, as in a query parameter of a client. */
int
pay_state_parse(pay_str_t name, pay_state_t *state)
{
    unsigned  i;

    for (i = 0; i < PAY_STATE_COUNT; i++) {
        if (pay_str_is(name, pay_state_names[i])) {
            *state = (pay_state_t) i;
            return 1;
        }
    }

    return 0;
}
