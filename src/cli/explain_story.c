/*
 * The history of an order: its timeline, its calls to the PSP, its dead
 * letters, its mismatches and its pay-outs, each a line with its time.  All of
 * it was written by other parties and goes out through pay_cli_put().
 */

#include "cli/explain.h"
#include "cli/table.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>


typedef struct {
    const char  *at;
    int          first;        /* comes before all others */
    size_t       number;       /* of two at one time the first stays first */
    char        *text;
} line_t;

/* Lines are gathered from seven lists and sorted by time at the end.  Each
 * line's text is a stream of its own (open_memstream), because its length is
 * not known before. */
struct explain_story_s {
    pay_arena_t  *arena;
    size_t        count;
    line_t        lines[EXPLAIN_LINES];
    FILE         *out;         /* the text of the line under way */
    size_t        size;
    const pay_json_t  *detail; /* of the event under way */
};

typedef struct explain_story_s  story_t;

typedef void (*tell_pt)(story_t *story, const pay_json_t *item);


static void put_story(story_t *story);
static int compare(const void *one, const void *two);
static void tell_all(story_t *story, const pay_json_t *list, tell_pt tell);
static void tell_event(story_t *story, const pay_json_t *event);
static pay_status_t tell_detail(pay_str_t name, const pay_json_t *value,
    void *data);
static int has_decimals(const story_t *story, pay_str_t name);
static void tell_dispatch(story_t *story, const pay_json_t *sent);
static void tell_letter(story_t *story, const pay_json_t *letter);
static void tell_exception(story_t *story, const pay_json_t *said);
static void tell_late(story_t *story, const pay_json_t *late);
static void tell_payout(story_t *story, const pay_json_t *payout);
static void tell_message(story_t *story, const pay_json_t *message);
static int begin(story_t *story, const char *at);
static void end(story_t *story);
static void also(story_t *story, const char *name, const char *value);
static const char *text_of(story_t *story, const pay_json_t *json,
    const char *member);
static const char *amount_of(story_t *story, const pay_json_t *json,
    const char *amount, const char *currency);


/* 0 also when nothing has happened, which cannot be for an order that exists:
 * its first event is written with it. */
int
explain_put_story(pay_arena_t *arena, const pay_json_t *top)
{
    int       told;
    story_t  *story;

    story = calloc(1, sizeof(*story));
    if (story == NULL) {
        return 0;
    }

    story->arena = arena;

    tell_all(story, pay_json_get(top, "events"), tell_event);
    tell_all(story, pay_json_get(top, "dispatches"), tell_dispatch);
    tell_all(story, pay_json_get(top, "dead_letters"), tell_letter);
    tell_all(story, pay_json_get(top, "exceptions"), tell_exception);
    tell_late(story, pay_json_get(top, "late_success"));
    tell_all(story, pay_json_get(pay_json_get(top, "payout"), "payouts"),
             tell_payout);
    tell_all(story, pay_json_get(top, "messages"), tell_message);

    put_story(story);
    told = story->count > 0;
    free(story);

    return told;
}


/* Each text is freed as it is printed. */
static void
put_story(story_t *story)
{
    size_t  i;

    qsort(story->lines, story->count, sizeof(line_t), compare);
    puts("\nwhat happened");

    for (i = 0; i < story->count; i++) {
        (void) pay_cli_put(stdout, story->lines[i].at, SIZE_MAX);
        fputs("  ", stdout);
        (void) pay_cli_put(stdout, story->lines[i].text, SIZE_MAX);
        putchar('\n');
        free(story->lines[i].text);
    }
}


/* The order's first event comes first whatever its time, since clocks of two
 * servers may differ by milliseconds.  Times are of one length and in UTC, so
 * that they sort as text. */
static int
compare(const void *one, const void *two)
{
    int            order;
    const line_t  *a = one, *b = two;

    order = b->first - a->first;
    order = order != 0 ? order : strcmp(a->at, b->at);

    return order != 0 ? order
                      : (a->number > b->number) - (a->number < b->number);
}


static void
tell_all(story_t *story, const pay_json_t *list, tell_pt tell)
{
    size_t  i;

    for (i = 0; i < pay_json_size(list); i++) {
        tell(story, pay_json_at(list, i));
    }
}


/* The change of status is shown once where nothing moved. */
static void
tell_event(story_t *story, const pay_json_t *event)
{
    const char  *from, *to;

    if (!begin(story, text_of(story, event, "at"))) {
        return;
    }

    story->lines[story->count].first =
        strcmp(text_of(story, event, "seq"), "1") == 0;
    from = text_of(story, event, "old_status");
    to = text_of(story, event, "new_status");

    fprintf(story->out, "%s, by %s: ", text_of(story, event, "kind"),
            text_of(story, event, "actor"));

    if (*from == '\0' || strcmp(from, to) == 0) {
        fputs(to, story->out);

    } else {
        fprintf(story->out, "%s > %s", from, to);
    }

    also(story, "reason", text_of(story, event, "reason"));
    story->detail = pay_json_get(event, "detail");
    (void) !pay_json_each(story->detail, tell_detail, story);
    end(story);
}


/* Members of an event's detail that are texts, numbers or true; objects are
 * for --json. */
static pay_status_t
tell_detail(pay_str_t name, const pay_json_t *value, void *data)
{
    int64_t    number;
    pay_str_t  text;
    story_t   *story = data;

    if (pay_json_string(value, &text) == PAY_OK) {
        fprintf(story->out, ", %.*s %.*s", (int) name.len, name.data,
                (int) text.len, text.data);

    } else if (has_decimals(story, name)) {
        return PAY_OK;

    } else if (pay_json_integer(value, &number) == PAY_OK) {
        fprintf(story->out, ", %.*s %lld", (int) name.len, name.data,
                (long long) number);

    } else if (pay_json_is_true(value)) {
        fprintf(story->out, ", %.*s", (int) name.len, name.data);
    }

    return PAY_OK;
}


/* Minor units stand alone where the gateway does not know the currency. */
static int
has_decimals(const story_t *story, pay_str_t name)
{
    const char  *twin = pay_str_is(name, "amount_minor") ? "amount"
                        : pay_str_is(name, "captured_minor")
                          ? "amount_captured" : NULL;

    return twin != NULL && pay_json_get(story->detail, twin) != NULL;
}


/* key_until matters only while a call may be repeated, so that it is shown for
 * calls without an outcome. */
static void
tell_dispatch(story_t *story, const pay_json_t *sent)
{
    const char  *state, *sends;

    if (!begin(story, text_of(story, sent, "first_sent_at"))) {
        return;
    }

    state = text_of(story, sent, "state");
    sends = text_of(story, sent, "sends");

    fprintf(story->out, "-> %s: %s, attempt %s: %s",
            text_of(story, sent, "psp"), text_of(story, sent, "operation"),
            text_of(story, sent, "attempt"), state);

    if (strcmp(sends, "1") != 0) {
        fprintf(story->out, ", sent %s times, last at %s", sends,
                text_of(story, sent, "sent_at"));
    }

    also(story, "came as far as", text_of(story, sent, "reach"));
    also(story, "http", text_of(story, sent, "http_status"));
    also(story, "code", text_of(story, sent, "code"));
    also(story, "reference", text_of(story, sent, "reference"));

    if (strcmp(state, "UNKNOWN") == 0 || strcmp(state, "OPEN") == 0) {
        also(story, "never sent again after",
             text_of(story, sent, "key_until"));
    }

    end(story);
}


/* Two lines: opened, and closed, each at its own time. */
static void
tell_letter(story_t *story, const pay_json_t *letter)
{
    const char  *id, *attempts;

    id = text_of(story, letter, "id");
    attempts = text_of(story, letter, "attempts");

    if (begin(story, text_of(story, letter, "at"))) {
        fprintf(story->out, "dead letter %s: %s, %s", id,
                text_of(story, letter, "kind"),
                text_of(story, letter, "reason"));
        also(story, "attempts", strcmp(attempts, "0") != 0 ? attempts : "");
        also(story, "code", text_of(story, letter, "code"));
        end(story);
    }

    if (strcmp(text_of(story, letter, "state"), "open") != 0
        && begin(story, text_of(story, letter, "closed_at")))
    {
        fprintf(story->out, "dead letter %s: %s by %s, because: %s", id,
                text_of(story, letter, "state"),
                text_of(story, letter, "closed_by"),
                text_of(story, letter, "closed_why"));
        end(story);
    }
}


/* Two lines again: when the statement came, and when an operator settled
 * it. */
static void
tell_exception(story_t *story, const pay_json_t *said)
{
    const char  *id = text_of(story, said, "id");

    if (begin(story, text_of(story, said, "at"))) {
        fprintf(story->out, "mismatch %s: not believed (%s), from %s by %s",
                id, text_of(story, said, "kind"),
                text_of(story, said, "psp"), text_of(story, said, "source"));
        also(story, "wrong", text_of(story, said, "wrong"));
        also(story, "said",
             amount_of(story, said, "amount", "currency"));
        also(story, "ours",
             amount_of(story, said, "own_amount", "own_currency"));
        also(story, "object", text_of(story, said, "object"));
        also(story, "token", text_of(story, said, "token"));
        also(story, "our token", text_of(story, said, "own_token"));
        also(story, "event", text_of(story, said, "event_id"));
        end(story);
    }

    if (begin(story, text_of(story, said, "settled_at"))) {
        fprintf(story->out, "mismatch %s: settled by %s, because: %s", id,
                text_of(story, said, "settled_by"),
                text_of(story, said, "settled_why"));
        end(story);
    }
}


static void
tell_late(story_t *story, const pay_json_t *late)
{
    if (!begin(story, text_of(story, late, "at"))) {
        return;
    }

    fprintf(story->out, "paid late: %s, now %s",
            amount_of(story, late, "amount", "currency"),
            text_of(story, late, "state"));
    also(story, "reference", text_of(story, late, "reference"));
    also(story, "refund", text_of(story, late, "refund_id"));
    end(story);
}


static void
tell_payout(story_t *story, const pay_json_t *payout)
{
    if (!begin(story, text_of(story, payout, "created_at"))) {
        return;
    }

    fprintf(story->out, "pay-out %s by %s: %s",
            text_of(story, payout, "payout_id"),
            text_of(story, payout, "provider"),
            amount_of(story, payout, "of_order", "currency"));
    also(story, "of", text_of(story, payout, "amount"));
    also(story, "now", text_of(story, payout, "state"));
    also(story, "since", text_of(story, payout, "changed_at"));
    end(story);
}


/* Each receiver is named with its state: one that has not heard of it is looked
 * for here. */
static void
tell_message(story_t *story, const pay_json_t *message)
{
    size_t             i;
    const pay_json_t  *receiver, *list = pay_json_get(message, "receivers");

    if (!begin(story, text_of(story, message, "published_at"))) {
        return;
    }

    fprintf(story->out, "event %s published",
            text_of(story, message, "type"));
    also(story, "id", text_of(story, message, "event_id"));

    for (i = 0; i < pay_json_size(list); i++) {
        receiver = pay_json_at(list, i);
        also(story, text_of(story, receiver, "receiver"),
             text_of(story, receiver, "state"));
    }

    end(story);
}


/* 1 when a line may be written: an item without a time has not happened, and a
 * full story takes no more. */
static int
begin(story_t *story, const char *at)
{
    line_t  *line = &story->lines[story->count];

    if (*at == '\0' || story->count == EXPLAIN_LINES) {
        return 0;
    }

    line->at = at;
    line->number = story->count;
    story->out = open_memstream(&line->text, &story->size);

    return story->out != NULL;
}


/* A line counts when its text could be written whole. */
static void
end(story_t *story)
{
    line_t  *line = &story->lines[story->count];

    if (fclose(story->out) == 0 && line->text != NULL) {
        story->count++;
    }
}


static void
also(story_t *story, const char *name, const char *value)
{
    if (*value != '\0') {
        fprintf(story->out, ", %s %s", name, value);
    }
}


static const char *
text_of(story_t *story, const pay_json_t *json, const char *member)
{
    return explain_text_of(story->arena, json, member);
}


static const char *
amount_of(story_t *story, const pay_json_t *json, const char *amount,
    const char *currency)
{
    return explain_amount_of(story->arena, json, amount, currency);
}
