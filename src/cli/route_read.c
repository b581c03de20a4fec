/*
 * The lines `psp` and `route` of a merchant, as nginx.conf has them, for payctl
 * route replay: their meaning goes to PostgreSQL as JSON.  nginx -t is the
 * judge of a configuration; here a line is refused that could not be replayed.
 */

#include "cli/route.h"
#include "cli/risk.h"
#include "pay_flow.h"
#include "pay_id.h"
#include "pay_money.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>


#define COMMAND     "route replay"
#define FILE_MAX    65536
#define JSON_MAX    (4 * FILE_MAX)
#define WORDS_MAX   24
#define ROUTES_MAX  32
#define BLANKS      " \t\r\n"
#define WEIGHT_MAX  1000

/* - words: of the line that begins at `line`.
 * - lists: currencies, countries and methods, empty or as they stand. */
typedef struct {
    pay_str_t    text;
    size_t       at;
    unsigned     now;
    unsigned     line;
    pay_str_t    words[WORDS_MAX];
    size_t       count;
    pay_str_t    lists[3];
    pay_str_t    amount;
    const char  *by;
    unsigned     routes;
    int          has_psps;
    pay_buf_t    json;
} reader_t;


static const char *read_lines(reader_t *reader);
static const char *next_line(reader_t *reader);
static void skip_blanks(reader_t *reader);
static const char *read_line(reader_t *reader);
static const char *take_option(reader_t *reader, pay_str_t word, int *taken);
static const char *put_range(reader_t *reader);
static const char *put_targets(reader_t *reader, int is_route);
static void put_list(reader_t *reader, const char *name, pay_str_t list);
static int list_is_valid(pay_str_t list, size_t kind);
static int word_is_valid(pay_str_t word, size_t kind);
static pay_str_t part(pay_str_t *rest, unsigned char end);


static const char *const  lists[] = { "currency=", "country=", "method=" };
static const char *const  bys[] = { "order", "weight", "score" };
static const char *const  passed_over[] = { "explore=", "floor=", "seed=" };


int
pay_cli_route_read(pay_arena_t *arena, const char *path, pay_str_t *json)
{
    reader_t     reader = { .now = 1 };
    const char  *wrong;

    if (!pay_cli_risk_file(COMMAND, arena, path, FILE_MAX, &reader.text)) {
        return 0;
    }

    pay_buf_init(&reader.json, arena, JSON_MAX);
    pay_buf_text(&reader.json, "[");
    wrong = read_lines(&reader);
    pay_buf_text(&reader.json, "]");

    if (wrong == NULL && reader.routes == 0) {
        wrong = "has no route: write route lines as nginx.conf has them";
    }

    if (wrong == NULL && pay_buf_done(&reader.json, json) != PAY_OK) {
        wrong = "is too long";
    }

    if (wrong != NULL) {
        fprintf(stderr, "payctl: " COMMAND ": %s: the line that begins at %u "
                "%s\n", path, reader.line, wrong);
    }

    return wrong == NULL;
}


pay_status_t
pay_cli_route_one(pay_arena_t *arena, const char *by, const char *psps,
    pay_str_t *json)
{
    pay_buf_t  buf;
    pay_str_t  name, rest = { 0, (unsigned char *) "" };

    if (psps != NULL) {
        rest = (pay_str_t) { strlen(psps), (unsigned char *) psps };
    }

    pay_buf_init(&buf, arena, FILE_MAX);
    pay_buf_text(&buf, "[{\"by\":\"");
    pay_buf_text(&buf, by);
    pay_buf_text(&buf, psps != NULL ? "\",\"psps\":[" : "\"");

    while (rest.len > 0) {
        name = part(&rest, ',');

        if (!pay_id_is_valid(name)) {
            return PAY_INVALID;
        }

        pay_buf_text(&buf, "{\"weight\":1,\"psp\":\"");
        pay_buf_add(&buf, name);
        pay_buf_text(&buf, rest.len > 0 ? "\"}," : "\"}");
    }

    pay_buf_text(&buf, psps != NULL ? "]}]" : "}]");

    return pay_buf_done(&buf, json);
}


/* NULL, or the mistake.  The psp line is the route of all that fit no other, so
 * it goes last, wherever it stands. */
static const char *
read_lines(reader_t *reader)
{
    unsigned     pass, line;
    const char  *wrong;

    for (pass = 0; pass < 2; pass++) {
        reader->at = 0;
        reader->now = 1;

        for ( ;; ) {
            wrong = next_line(reader);

            if (wrong != NULL || reader->count == 0) {
                break;
            }

            line = pay_str_is(reader->words[0], "psp");

            if (pass == 0 || line) {
                wrong = pass == line ? read_line(reader) : NULL;
            }

            if (wrong != NULL) {
                return wrong;
            }
        }

        if (wrong != NULL) {
            return wrong;
        }
    }

    return NULL;
}


/* No words: the end. */
static const char *
next_line(reader_t *reader)
{
    pay_str_t             word;
    const unsigned char  *data = reader->text.data;

    reader->count = 0;
    skip_blanks(reader);
    reader->line = reader->now;

    while (reader->at < reader->text.len && data[reader->at] != ';') {
        word.data = data + reader->at;

        while (reader->at < reader->text.len
               && memchr(BLANKS ";#\"'{}", data[reader->at], 10) == NULL)
        {
            reader->at++;
        }

        word.len = (size_t) (data + reader->at - word.data);

        if (word.len == 0) {
            return "has a quote or a brace: write the lines of one merchant, "
                   "without its block";
        }

        if (reader->count == WORDS_MAX) {
            return "has more than 24 words";
        }

        reader->words[reader->count++] = word;
        skip_blanks(reader);
    }

    if (reader->at == reader->text.len) {
        return reader->count > 0 ? "needs a ; at its end" : NULL;
    }

    reader->at++;

    return reader->count > 0 ? NULL : "is empty";
}


/* Blanks and comments. */
static void
skip_blanks(reader_t *reader)
{
    int            is_comment = 0;
    unsigned char  c;

    for ( /* void */ ; reader->at < reader->text.len; reader->at++) {
        c = reader->text.data[reader->at];
        is_comment = c != '\n' && (is_comment || c == '#');

        if (!is_comment && memchr(BLANKS, c, 4) == NULL) {
            return;
        }

        reader->now += c == '\n';
    }
}


static const char *
read_line(reader_t *reader)
{
    int          taken, is_route = pay_str_is(reader->words[0], "route");
    size_t       i, kept = 1;
    const char  *wrong;

    if (!is_route && !pay_str_is(reader->words[0], "psp")) {
        return "is neither psp nor route";
    }

    if (is_route ? reader->routes == ROUTES_MAX : reader->has_psps) {
        return is_route ? "is the 33rd route" : "is a second psp line";
    }

    reader->by = bys[0];
    reader->amount.len = 0;
    memset(reader->lists, 0, sizeof(reader->lists));

    for (i = 1; i < reader->count; i++) {
        taken = 0;
        wrong = is_route ? take_option(reader, reader->words[i], &taken)
                         : NULL;
        if (wrong != NULL) {
            return wrong;
        }

        if (!taken) {
            reader->words[kept++] = reader->words[i];
        }
    }

    reader->count = kept;

    if (reader->routes + reader->has_psps > 0) {
        pay_buf_text(&reader->json, ",");
    }

    reader->routes += is_route;
    reader->has_psps |= !is_route;

    pay_buf_text(&reader->json, "{\"by\":\"");
    pay_buf_text(&reader->json, reader->by);
    pay_buf_text(&reader->json, "\"");
    put_list(reader, "currencies", reader->lists[0]);
    put_list(reader, "countries", reader->lists[1]);
    put_list(reader, "methods", reader->lists[2]);

    wrong = put_range(reader);
    if (wrong == NULL) {
        wrong = put_targets(reader, is_route);
    }

    pay_buf_text(&reader->json, "}");

    return wrong;
}


/* Not taken: it is the name of a PSP, or a mistake. */
static const char *
take_option(reader_t *reader, pay_str_t word, int *taken)
{
    size_t     i;
    pay_str_t  name, value = word;

    name = part(&value, '=');
    *taken = 1;

    for (i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
        if (name.len + 1 == strlen(lists[i])
            && memcmp(name.data, lists[i], name.len) == 0)
        {
            reader->lists[i] = value;
            return list_is_valid(value, i) ? NULL
                   : "has a condition that is not a list of currencies, of "
                     "countries or of methods";
        }
    }

    for (i = 0; i < sizeof(passed_over) / sizeof(passed_over[0]); i++) {
        if (name.len + 1 == strlen(passed_over[i])
            && memcmp(name.data, passed_over[i], name.len) == 0)
        {
            return NULL;
        }
    }

    if (pay_str_is(name, "amount")) {
        reader->amount = value;
        return NULL;
    }

    if (!pay_str_is(name, "by")) {
        *taken = 0;
        return NULL;
    }

    for (i = 0; i < sizeof(bys) / sizeof(bys[0]); i++) {
        if (pay_str_is(value, bys[i])) {
            reader->by = bys[i];
            return NULL;
        }
    }

    return "must be by=order, by=weight or by=score";
}


/* MIN-MAX, MIN- or -MAX of the one currency. */
static const char *
put_range(reader_t *reader)
{
    size_t                 i;
    int64_t                minor;
    pay_str_t              ends[2], text = reader->amount;
    const char            *wrong = "has an amount= that is not MIN-MAX, MIN- or"
                                   " -MAX of its one currency=";
    const pay_currency_t  *currency;

    if (text.len == 0) {
        return NULL;
    }

    ends[0] = part(&text, '-');
    ends[1] = text;

    if (ends[0].len == reader->amount.len || ends[0].len + ends[1].len == 0
        || pay_currency_find(reader->lists[0], &currency, NULL) != PAY_OK)
    {
        return wrong;
    }

    for (i = 0; i < 2; i++) {
        if (ends[i].len == 0) {
            continue;
        }

        if (pay_amount_parse(ends[i], currency, &minor, NULL) != PAY_OK) {
            return wrong;
        }

        pay_buf_text(&reader->json, i == 0 ? ",\"min\":" : ",\"max\":");
        pay_buf_int(&reader->json, minor);
    }

    return NULL;
}


static const char *
put_targets(reader_t *reader, int is_route)
{
    char       digits[8];
    long       weight;
    size_t     i;
    pay_str_t  name, value;

    if (reader->count == 1) {
        return "names no PSP";
    }

    if (is_route && reader->count - 1 > PAY_ROUTE_PSPS_MAX) {
        return "takes at most 8 PSPs";
    }

    pay_buf_text(&reader->json, ",\"psps\":[");

    for (i = 1; i < reader->count; i++) {
        value = reader->words[i];
        name = part(&value, '=');
        weight = 1;

        if (name.len < reader->words[i].len && value.len < sizeof(digits)) {
            memcpy(digits, value.data, value.len);
            digits[value.len] = '\0';
            weight = strspn(digits, "0123456789") == value.len
                     ? strtol(digits, NULL, 10) : 0;

        } else if (name.len < reader->words[i].len) {
            weight = 0;
        }

        if (!pay_id_is_valid(name) || weight < 1 || weight > WEIGHT_MAX) {
            return "has a word that is neither an option nor the name of a PSP "
                   "with a weight from 1 to 1000";
        }

        pay_buf_text(&reader->json, i == 1 ? "{\"psp\":\"" : ",{\"psp\":\"");
        pay_buf_add(&reader->json, name);
        pay_buf_text(&reader->json, "\",\"weight\":");
        pay_buf_int(&reader->json, weight);
        pay_buf_text(&reader->json, "}");
    }

    pay_buf_text(&reader->json, "]");

    return NULL;
}


/* The words are checked, and have nothing that JSON escapes. */
static void
put_list(reader_t *reader, const char *name, pay_str_t list)
{
    int        is_first = 1;
    pay_str_t  word;

    if (list.len == 0) {
        return;
    }

    pay_buf_text(&reader->json, ",\"");
    pay_buf_text(&reader->json, name);
    pay_buf_text(&reader->json, "\":[\"");

    while (list.len > 0) {
        word = part(&list, ',');
        pay_buf_text(&reader->json, is_first ? "" : "\",\"");
        pay_buf_add(&reader->json, word);
        is_first = 0;
    }

    pay_buf_text(&reader->json, "\"]");
}


static int
list_is_valid(pay_str_t list, size_t kind)
{
    size_t     count = 0;
    pay_str_t  word;

    if (list.len == 0 || list.data[list.len - 1] == ',') {
        return 0;
    }

    while (list.len > 0) {
        word = part(&list, ',');

        if (++count > PAY_ROUTE_WORDS_MAX || !word_is_valid(word, kind)) {
            return 0;
        }
    }

    return 1;
}


static int
word_is_valid(pay_str_t word, size_t kind)
{
    const pay_currency_t  *currency;

    return kind == 0 ? pay_currency_find(word, &currency, NULL) == PAY_OK
           : kind == 1 ? word.len == 2 && word.data[0] >= 'A'
                         && word.data[0] <= 'Z' && word.data[1] >= 'A'
                         && word.data[1] <= 'Z'
           : pay_id_is_valid(word);
}


/* The bytes in front of the first `end`, or all; rest: those behind it. */
static pay_str_t
part(pay_str_t *rest, unsigned char end)
{
    pay_str_t             first = *rest;
    const unsigned char  *at = first.len > 0 ? memchr(first.data, end,
                                                      first.len) : NULL;

    first.len = at == NULL ? first.len : (size_t) (at - first.data);
    rest->data += first.len + (at != NULL);
    rest->len -= first.len + (at != NULL);

    return first;
}
