/*
 * JSON as a stream: a file is one document after the other (answers of an API
 * as they came, or an array of them).  The elements of a format's lists are
 * cut out and parsed one by one, the rest of a document when it ends; so a
 * list may be as long as it likes.  The parser is pay_json.h; here is only
 * the search for brackets.
 *
 *    between documents ─ { ─▶ in a document ─ "list": [ ─▶ in a list
 *           ▲                    │      ▲                    │     │ {
 *           └── } : document() ──┘      └────── ] ───────────┘     ▼
 *                                             item() ◀─ } ─ in an element
 *
 * In a document and in an element brackets are counted and strings are
 * skipped; nothing else of JSON is known here.
 */

#include "settle/settle.h"


#define JSON_WIDTH  512

/* A text that is cut out of the file, to be parsed as a whole. */
typedef struct {
    size_t         len;
    unsigned char  data[PAY_SETTLE_LINE_MAX];
} json_text_t;

/* Places at which a comma or a bracket may stand; the same three hold for
 * elements of a list and for documents of a wrapping array. */
typedef enum {
    JSON_BEFORE = 0,           /* a value may follow, or the end */
    JSON_VALUE,                /* a value must follow */
    JSON_BEHIND                /* a comma may follow, or the end */
} json_place_t;

/* The search for brackets.  `depth` 1 is within a document; `rest` holds the
 * document without the elements of its lists, `item` the element that is open.
 * Offsets into `rest` name the member that is being read. */
typedef struct {
    unsigned      depth;               /* of open brackets in a document */
    int           in_string;
    int           escaped;
    int           in_item;
    unsigned      list_depth;          /* of the open list; 0: none */
    const char   *list;
    json_place_t  place;               /* in the list */
    json_place_t  outer;               /* between documents */
    int           is_wrapped;          /* they stand in an array */
    int64_t       documents;
    int64_t       first_line;          /* of the document */
    size_t        string_at;           /* in `rest`: the last string */
    size_t        string_len;
    int           is_inside;           /* the member is `inside`'s */
    size_t        key_at;              /* name of the member being read */
    size_t        key_len;
    json_text_t   rest;
    json_text_t   item;
} json_lex_t;


static int json_fits(unsigned char first);
static pay_status_t json_open(pay_settle_reader_t *reader);
static pay_status_t json_feed(pay_settle_reader_t *reader, pay_str_t bytes);
static pay_status_t json_end(pay_settle_reader_t *reader);
static void json_close(pay_settle_reader_t *reader);
static pay_status_t json_byte(pay_settle_reader_t *reader, json_lex_t *lex,
    unsigned char c);
static pay_status_t json_between(pay_settle_reader_t *reader, json_lex_t *lex,
    unsigned char c);
static pay_status_t json_in_list(pay_settle_reader_t *reader, json_lex_t *lex,
    unsigned char c);
static pay_status_t json_in_string(pay_settle_reader_t *reader,
    json_lex_t *lex, unsigned char c);
static pay_status_t json_in_value(pay_settle_reader_t *reader,
    json_lex_t *lex, unsigned char c);
static pay_status_t json_down(pay_settle_reader_t *reader, json_lex_t *lex);
static void json_key(json_lex_t *lex, const char *inside);
static void json_list_open(pay_settle_reader_t *reader, json_lex_t *lex);
static pay_status_t json_put(pay_settle_reader_t *reader, json_lex_t *lex,
    unsigned char c);
static pay_status_t json_item(pay_settle_reader_t *reader, json_lex_t *lex);
static pay_status_t json_document(pay_settle_reader_t *reader,
    json_lex_t *lex);
static pay_status_t json_parse(pay_settle_reader_t *reader,
    const json_text_t *text, pay_json_t **json);
static int json_is_space(unsigned char c);


const pay_settle_lexer_t  pay_settle_json = {
    json_fits, json_open, json_feed, json_end, json_close
};


/* An empty text is missing, too: ids and codes are never empty. */
pay_status_t
pay_settle_need_string(pay_settle_reader_t *reader, const pay_json_t *json,
    const char *member, pay_str_t *value)
{
    if (pay_json_string(pay_json_get(json, member), value) != PAY_OK
        || value->len == 0)
    {
        return pay_settle_refuse(reader, "member-missing", member,
                                 "a text in this member");
    }

    return PAY_OK;
}


/* Numbers with a fraction or an exponent are none: amounts are integers of
 * minor units. */
pay_status_t
pay_settle_need_integer(pay_settle_reader_t *reader, const pay_json_t *json,
    const char *member, int64_t *value)
{
    if (pay_json_integer(pay_json_get(json, member), value) != PAY_OK) {
        return pay_settle_refuse(reader, "member-missing", member,
                                 "an integer in this member");
    }

    return PAY_OK;
}


/* For texts that a PSP may leave out; another type reads as empty. */
pay_str_t
pay_settle_string(const pay_json_t *json, const char *member)
{
    pay_str_t  value = pay_string("");

    if (pay_json_string(pay_json_get(json, member), &value) != PAY_OK) {
        value = PAY_STR("");
    }

    return value;
}


pay_status_t
pay_settle_keep_member(pay_settle_reader_t *reader, const pay_json_t *json,
    const char *member, char *to, size_t size)
{
    return pay_settle_keep(reader, member, pay_settle_string(json, member),
                           to, size);
}


static int
json_fits(unsigned char first)
{
    return first == '{' || first == '[';
}


/* Both buffers stay uncleared, as they are written before they are read. */
static pay_status_t
json_open(pay_settle_reader_t *reader)
{
    json_lex_t  *lex = pay_alloc(reader->arena, sizeof(*lex));

    if (lex == NULL) {
        return PAY_NO_MEMORY;
    }

    memset(lex, 0, offsetof(json_lex_t, rest));
    lex->rest.len = 0;
    lex->item.len = 0;
    reader->lex = lex;

    return PAY_OK;
}


/* Byte by byte, since a document may begin and end within one piece and
 * several may follow each other in a file. */
static pay_status_t
json_feed(pay_settle_reader_t *reader, pay_str_t bytes)
{
    size_t  i;

    for (i = 0; i < bytes.len; i++) {
        PAY_TRY(json_byte(reader, reader->lex, bytes.data[i]));
        reader->line += (bytes.data[i] == '\n');
    }

    return PAY_OK;
}


/* An open bracket or an array without its end means that the file was cut. */
static pay_status_t
json_end(pay_settle_reader_t *reader)
{
    json_lex_t  *lex = reader->lex;

    reader->row_line = reader->line;

    if (lex->depth != 0 || (lex->is_wrapped && lex->outer != JSON_BEHIND)
        || lex->documents == 0)
    {
        return pay_settle_refuse(reader, "cut", "", "the end of the JSON");
    }

    return PAY_OK;
}


static void
json_close(pay_settle_reader_t *reader)
{
    (void) reader;
}


/* One byte at a time, so that a piece may end anywhere. */
static pay_status_t
json_byte(pay_settle_reader_t *reader, json_lex_t *lex, unsigned char c)
{
    if (lex->depth == 0) {
        return json_between(reader, lex, c);
    }

    if (lex->in_string) {
        return json_in_string(reader, lex, c);
    }

    if (lex->list_depth == lex->depth && !lex->in_item) {
        return json_in_list(reader, lex, c);
    }

    return json_in_value(reader, lex, c);
}


/* Documents stand one behind the other, or in an array with commas.  With an
 * array each document but the first needs a comma before it. */
static pay_status_t
json_between(pay_settle_reader_t *reader, json_lex_t *lex, unsigned char c)
{
    if (json_is_space(c)) {
        return PAY_OK;
    }

    reader->row_line = reader->line;

    if (c == '[' && lex->documents == 0 && !lex->is_wrapped) {
        lex->is_wrapped = 1;
        lex->outer = JSON_VALUE;
        return PAY_OK;
    }

    if (lex->is_wrapped && c == ',' && lex->outer == JSON_BEFORE) {
        lex->outer = JSON_VALUE;
        return PAY_OK;
    }

    if (lex->is_wrapped && c == ']' && lex->outer == JSON_BEFORE) {
        lex->outer = JSON_BEHIND;
        return PAY_OK;
    }

    if (c != '{' || (lex->is_wrapped && lex->outer != JSON_VALUE)) {
        return pay_settle_refuse(reader, "json-invalid", "",
                                 "a JSON object");
    }

    lex->outer = JSON_BEFORE;
    lex->first_line = reader->line;
    lex->rest.len = 0;
    lex->key_len = 0;
    lex->string_len = 0;

    lex->depth = 1;

    return json_put(reader, lex, c);
}


/* An element goes to `item` and never to `rest`, so the rest of a document
 * stays small however long its lists are. */
static pay_status_t
json_in_list(pay_settle_reader_t *reader, json_lex_t *lex, unsigned char c)
{
    if (json_is_space(c)) {
        return PAY_OK;
    }

    if (c == '{' && lex->place != JSON_BEHIND) {
        lex->in_item = 1;
        lex->item.len = 0;
        lex->depth++;
        reader->row_line = reader->line;
        return json_put(reader, lex, c);
    }

    if (c == ',' && lex->place == JSON_BEHIND) {
        lex->place = JSON_VALUE;
        return PAY_OK;
    }

    if (c == ']' && lex->place != JSON_VALUE) {
        lex->list_depth = 0;
        lex->depth--;
        return json_put(reader, lex, c);
    }

    reader->row_line = reader->line;

    return pay_settle_refuse(reader, "json-invalid", lex->list,
                             "objects, with commas between");
}


/* Brackets and commas within strings are text.  The last string outside of
 * elements may turn out to be the name of a member. */
static pay_status_t
json_in_string(pay_settle_reader_t *reader, json_lex_t *lex, unsigned char c)
{
    PAY_TRY(json_put(reader, lex, c));

    if (lex->escaped) {
        lex->escaped = 0;

    } else if (c == '\\') {
        lex->escaped = 1;

    } else if (c == '"') {
        lex->in_string = 0;

        if (!lex->in_item) {
            lex->string_len = lex->rest.len - 1 - lex->string_at;
        }
    }

    return PAY_OK;
}


/* The colon behind a string makes it a name; the parser finds out later
 * whether the JSON is valid. */
static pay_status_t
json_in_value(pay_settle_reader_t *reader, json_lex_t *lex, unsigned char c)
{
    PAY_TRY(json_put(reader, lex, c));

    switch (c) {

    case '"':
        lex->in_string = 1;
        if (!lex->in_item) {
            lex->string_at = lex->rest.len;
        }
        break;

    case ':':
        if (!lex->in_item) {
            json_key(lex, reader->format->inside);
        }
        break;

    case '[':
        lex->depth++;
        if (!lex->in_item) {
            json_list_open(reader, lex);
        }
        break;

    case '{':
        lex->depth++;
        break;

    case '}':
    case ']':
        return json_down(reader, lex);
    }

    return PAY_OK;
}


/* The end of an element, of the object `inside`, or of the document. */
static pay_status_t
json_down(pay_settle_reader_t *reader, json_lex_t *lex)
{
    lex->depth--;

    if (lex->in_item && lex->depth == lex->list_depth) {
        lex->in_item = 0;
        lex->place = JSON_BEHIND;
        return json_item(reader, lex);
    }

    if (lex->depth == 1) {
        lex->is_inside = 0;
    }

    return lex->depth == 0 ? json_document(reader, lex) : PAY_OK;
}


/* The name of a member of the top object or of the object `inside` it. */
static void
json_key(json_lex_t *lex, const char *inside)
{
    pay_str_t  name = { lex->string_len, lex->rest.data + lex->string_at };

    if (lex->depth == 1) {
        lex->key_at = lex->string_at;
        lex->key_len = lex->string_len;
        lex->is_inside = inside != NULL && pay_str_is(name, inside);

    } else if (lex->depth == 2 && lex->is_inside) {
        lex->key_at = lex->string_at;
        lex->key_len = lex->string_len;
    }
}


/* A list is one of the format's names at the right depth; arrays elsewhere
 * stay in the rest. */
static void
json_list_open(pay_settle_reader_t *reader, json_lex_t *lex)
{
    pay_str_t           name = { lex->key_len, lex->rest.data + lex->key_at };
    const char *const  *list;

    if (lex->depth != 2 + (reader->format->inside != NULL)
        || (reader->format->inside != NULL && !lex->is_inside))
    {
        return;
    }

    for (list = reader->format->lists; *list != NULL; list++) {
        if (pay_str_is(name, *list)) {
            lex->list = *list;
            lex->list_depth = lex->depth;
            lex->place = JSON_BEFORE;
            return;
        }
    }
}


/* The limit is that of one element, or of one document without its elements. */
static pay_status_t
json_put(pay_settle_reader_t *reader, json_lex_t *lex, unsigned char c)
{
    json_text_t  *text = lex->in_item ? &lex->item : &lex->rest;

    if (text->len == sizeof(text->data)) {
        return pay_settle_refuse(reader, "line-too-long", "",
                                 "objects of at most %d bytes",
                                 PAY_SETTLE_LINE_MAX);
    }

    text->data[text->len++] = c;

    return PAY_OK;
}


/* The tree lives for this call only: the format copies all that it keeps to the
 * row or its state. */
static pay_status_t
json_item(pay_settle_reader_t *reader, json_lex_t *lex)
{
    pay_json_t    *json;
    pay_status_t   status;

    PAY_TRY(json_parse(reader, &lex->item, &json));

    reader->scratch_len = 0;
    status = reader->format->item(reader, lex->list, json);
    pay_json_free(json);

    return status;
}


/* A list whose name was written with escapes was not cut out: refused, so that
 * nothing is left unread.  The lists are empty in `rest`, since their elements
 * were handed on before. */
static pay_status_t
json_document(pay_settle_reader_t *reader, json_lex_t *lex)
{
    pay_json_t         *json;
    const pay_json_t   *top;
    const char *const  *list;
    pay_status_t        status = PAY_OK;

    reader->row_line = lex->first_line;
    PAY_TRY(json_parse(reader, &lex->rest, &json));

    top = reader->format->inside != NULL
          ? pay_json_get(json, reader->format->inside) : json;

    for (list = reader->format->lists; *list != NULL; list++) {
        if (pay_json_size(pay_json_get(top, *list)) != 0) {
            status = pay_settle_refuse(reader, "json-invalid", *list,
                                       "an array of objects");
        }
    }

    if (status == PAY_OK) {
        lex->documents++;
        reader->scratch_len = 0;
        status = reader->format->document(reader, json);
    }

    pay_json_free(json);

    return status;
}


/* Depth and number of values have the parser's own limits; JSON_WIDTH is that
 * of one object. */
static pay_status_t
json_parse(pay_settle_reader_t *reader, const json_text_t *text,
    pay_json_t **json)
{
    pay_str_t          bytes = { text->len, text->data };
    pay_err_t          err = { 0 };
    pay_status_t       status;
    pay_json_limits_t  limits = { PAY_SETTLE_LINE_MAX, 0, JSON_WIDTH, 0 };

    status = pay_json_parse(bytes, &limits, json, &err);
    if (status == PAY_INVALID) {
        return pay_settle_refuse(reader, "json-invalid", "", "valid JSON (%s)",
                                 err.detail != NULL ? err.detail : "");
    }

    return status;
}


static int
json_is_space(unsigned char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}
