/*
 * Reading JSON.  Untrusted text passes the bounds check of json_scan.c first.
 * Brackets, names and the common spellings of values are read here, because
 * jansson takes some 150 instructions for each byte of a text.  jansson still
 * holds the values and judges UTF-8, it reads each other spelling of a value,
 * and where this reader stops it reads the whole text again: what is refused,
 * and why, is jansson's word alone (duplicate members, trailing bytes, bad
 * UTF-8, \u0000, scalars at the top).
 */

#include <jansson.h>

#include "pay_json.h"
#include "json_scan.h"


#define PAY_JSON_SIZE   65536      /* default limit of a text */
#define PAY_INT_DIGITS  18         /* more may be too large */


typedef struct {
    enum json_error_code  code;
    pay_status_t          status;
    const char           *slug;
    const char           *detail;
} pay_json_trouble_t;

/* The rest of a text, and the containers that are open in it. */
typedef struct {
    const unsigned char  *at;
    const unsigned char  *end;
    int                   more;    /* a comma comes before the next value */
    unsigned              depth;
    json_t               *open[PAY_JSON_DEPTH_HARD];
} pay_plain_t;


static json_t *pay_json_load(pay_str_t text, json_error_t *error);
static json_t *pay_plain_read(pay_str_t text);
static int pay_plain_step(pay_plain_t *plain);
static int pay_plain_member(pay_plain_t *plain, json_t *object);
static json_t *pay_plain_value(pay_plain_t *plain);
static json_t *pay_plain_open(pay_plain_t *plain, json_t *container);
static json_t *pay_plain_string(pay_plain_t *plain);
static int pay_plain_text(pay_plain_t *plain, pay_str_t *text);
static json_t *pay_plain_word(pay_plain_t *plain);
static int pay_plain_integer(pay_str_t word, int64_t *value);
static json_t *pay_plain_other(pay_str_t spelling);
static unsigned char pay_plain_next(pay_plain_t *plain);
static void pay_json_watch(void);
static int pay_json_unwatch(void);
static void *pay_json_malloc_until_failed(size_t size);
static pay_status_t pay_json_refused(const json_error_t *error,
    pay_err_t *err);
static pay_status_t pay_json_refuse_at(pay_err_t *err, const char *slug,
    const char *detail, const json_error_t *error);


static const pay_json_trouble_t  pay_json_troubles[] = {
    { json_error_duplicate_key, PAY_INVALID, "duplicate-member",
      "An object of the JSON text names a member twice." },
    { json_error_invalid_utf8, PAY_INVALID, "invalid-json",
      "The JSON text is not valid UTF-8." },
    { json_error_null_character, PAY_INVALID, "invalid-json",
      "The JSON text contains a NUL character." },
    { json_error_null_byte_in_key, PAY_INVALID, "invalid-json",
      "The JSON text contains a NUL character." },
    { json_error_numeric_overflow, PAY_INVALID, "invalid-json",
      "A number of the JSON text is too large." },
    { json_error_premature_end_of_input, PAY_INVALID, "invalid-json",
      "The JSON text ends too early." },
    { json_error_end_of_input_expected, PAY_INVALID, "invalid-json",
      "Something follows the JSON text." },
    { json_error_out_of_memory, PAY_NO_MEMORY, NULL, NULL }
};

static json_malloc_t  pay_json_malloc;
static int            pay_json_starved;


pay_status_t
pay_json_parse(pay_str_t text, const pay_json_limits_t *limits,
    pay_json_t **json, pay_err_t *err)
{
    json_t             *root;
    json_error_t        error;
    pay_json_limits_t   bound = { 0, 0, 0, 0 };

    if (limits != NULL) {
        bound = *limits;
    }

    if (text.len > (bound.max_size ? bound.max_size : PAY_JSON_SIZE)) {
        return pay_refuse(err, "content-too-large",
                          "The JSON text is too long.");
    }

    if (text.len == 0) {
        return pay_refuse(err, "invalid-json", "The JSON text is empty.");
    }

    PAY_TRY(pay_json_scan(text,
                          bound.max_depth ? bound.max_depth : PAY_JSON_DEPTH,
                          bound.max_width ? bound.max_width : PAY_JSON_WIDTH,
                          bound.max_values ? bound.max_values
                                           : PAY_JSON_VALUES, err));

    root = pay_json_load(text, &error);
    if (root == NULL) {
        return pay_json_refused(&error, err);
    }

    *json = (pay_json_t *) root;

    return PAY_OK;
}


static json_t *
pay_json_load(pay_str_t text, json_error_t *error)
{
    json_t  *root;

    pay_json_watch();
    root = pay_plain_read(text);

    if (root == NULL && !pay_json_starved) {
        root = json_loadb((const char *) text.data, text.len,
                          JSON_REJECT_DUPLICATES, error);
    }

    if (pay_json_unwatch()) {
        json_decref(root);
        root = NULL;
        error->text[JSON_ERROR_TEXT_LENGTH - 1] = json_error_out_of_memory;
    }

    return root;
}


/* NULL: the text is not plain JSON, or there is no memory. */
static json_t *
pay_plain_read(pay_str_t text)
{
    json_t       *root;
    pay_plain_t   plain = { text.data, text.data + text.len, 0, 0, { NULL } };

    root = pay_plain_value(&plain);
    if (root == NULL) {
        return NULL;
    }

    while (plain.depth > 0 && pay_plain_step(&plain)) { /* void */ }

    if (plain.depth > 0 || !(json_is_object(root) || json_is_array(root))
        || pay_plain_next(&plain) != '\0' || plain.at != plain.end)
    {
        json_decref(root);
        return NULL;
    }

    return root;
}


/* The end of the innermost container, or the next value in it. */
static int
pay_plain_step(pay_plain_t *plain)
{
    json_t         *top = plain->open[plain->depth - 1], *value;
    unsigned char   byte = pay_plain_next(plain);

    if (byte == (json_is_object(top) ? '}' : ']')) {
        plain->at++;
        plain->depth--;
        plain->more = 1;
        return 1;
    }

    if (plain->more) {
        if (byte != ',') {
            return 0;
        }

        plain->at++;
    }

    if (json_is_object(top)) {
        return pay_plain_member(plain, top);
    }

    value = pay_plain_value(plain);

    return value != NULL && json_array_append_new(top, value) == 0;
}


/* A name that comes twice leaves the size as it was. */
static int
pay_plain_member(pay_plain_t *plain, json_t *object)
{
    json_t     *value;
    size_t      size = json_object_size(object);
    pay_str_t   name;

    if (pay_plain_next(plain) != '"' || !pay_plain_text(plain, &name)
        || pay_plain_next(plain) != ':')
    {
        return 0;
    }

    plain->at++;
    value = pay_plain_value(plain);

    return value != NULL
           && json_object_setn_new(object, (const char *) name.data, name.len,
                                   value) == 0
           && json_object_size(object) == size + 1;
}


static json_t *
pay_plain_value(pay_plain_t *plain)
{
    switch (pay_plain_next(plain)) {

    case '{':
        return pay_plain_open(plain, json_object());

    case '[':
        return pay_plain_open(plain, json_array());

    case '"':
        plain->more = 1;
        return pay_plain_string(plain);

    default:
        plain->more = 1;
        return pay_plain_word(plain);
    }
}


static json_t *
pay_plain_open(pay_plain_t *plain, json_t *container)
{
    if (plain->depth == PAY_JSON_DEPTH_HARD) {
        json_decref(container);
        return NULL;
    }

    plain->at++;
    plain->more = 0;
    plain->open[plain->depth++] = container;

    return container;
}


static json_t *
pay_plain_string(pay_plain_t *plain)
{
    pay_str_t             text;
    const unsigned char  *from = plain->at;

    if (pay_plain_text(plain, &text)) {
        return json_stringn((const char *) text.data, text.len);
    }

    for (plain->at++; plain->at < plain->end; plain->at++) {
        if (*plain->at == '"') {
            plain->at++;
            return pay_plain_other((pay_str_t) { (size_t) (plain->at - from),
                                                 from });
        }

        /* the end may follow: it is not passed */
        plain->at += (*plain->at == '\\' && plain->end - plain->at > 1);
    }

    return NULL;
}


/* From quote to quote; 0, and nothing is read, when it must be decoded. */
static int
pay_plain_text(pay_plain_t *plain, pay_str_t *text)
{
    const unsigned char  *p = plain->at + 1;

    while (p < plain->end && *p != '"') {
        if (*p == '\\' || *p < ' ') {
            return 0;
        }

        p++;
    }

    if (p == plain->end) {
        return 0;
    }

    text->data = plain->at + 1;
    text->len = (size_t) (p - text->data);
    plain->at = p + 1;

    return 1;
}


static json_t *
pay_plain_word(pay_plain_t *plain)
{
    int64_t    value;
    pay_str_t  word;

    word.data = plain->at;

    while (plain->at < plain->end && *plain->at > ' ' && *plain->at != ','
           && *plain->at != ']' && *plain->at != '}')
    {
        plain->at++;
    }

    word.len = (size_t) (plain->at - word.data);

    if (pay_plain_integer(word, &value)) {
        return json_integer(value);
    }

    if (pay_str_is(word, "null")) {
        return json_null();
    }

    if (pay_str_is(word, "true") || pay_str_is(word, "false")) {
        return json_boolean(word.len == 4);
    }

    return pay_plain_other(word);
}


static int
pay_plain_integer(pay_str_t word, int64_t *value)
{
    size_t   i, first = (word.len > 1 && word.data[0] == '-');
    int64_t  number = 0;

    if (word.len == first || word.len - first > PAY_INT_DIGITS
        || (word.data[first] == '0' && word.len - first > 1))
    {
        return 0;
    }

    for (i = first; i < word.len; i++) {
        if (word.data[i] < '0' || word.data[i] > '9') {
            return 0;
        }

        number = number * 10 + (word.data[i] - '0');
    }

    *value = first ? -number : number;

    return 1;
}


/* A string with escapes, a real: what jansson makes of it. */
static json_t *
pay_plain_other(pay_str_t spelling)
{
    return json_loadb((const char *) spelling.data, spelling.len,
                      JSON_DECODE_ANY, NULL);
}


/* What comes behind white space; \0: the end, or what no text may hold. */
static unsigned char
pay_plain_next(pay_plain_t *plain)
{
    while (plain->at < plain->end
           && (*plain->at == ' ' || *plain->at == '\n' || *plain->at == '\r'
               || *plain->at == '\t'))
    {
        plain->at++;
    }

    return plain->at < plain->end ? *plain->at : '\0';
}


/*
 * When its token buffer can't grow, jansson 2.14 goes on without the byte: a
 * digit falls out of an amount, or the closing quote is missed and it reads
 * on behind the buffer.  So the first failed allocation makes all later ones
 * fail, which ends the parse before the token is used, and the result counts
 * as PAY_NO_MEMORY whatever jansson thinks of it.  Whoever set allocators
 * gets them back; there are no threads (nginx workers, payctl).
 */

static void
pay_json_watch(void)
{
    json_free_t  release;

    json_get_alloc_funcs(&pay_json_malloc, &release);
    json_set_alloc_funcs(pay_json_malloc_until_failed, release);
    pay_json_starved = 0;
}


/* 1 when an allocation has failed since pay_json_watch() */
static int
pay_json_unwatch(void)
{
    json_free_t    release;
    json_malloc_t  watching;

    json_get_alloc_funcs(&watching, &release);
    json_set_alloc_funcs(pay_json_malloc, release);

    return pay_json_starved;
}


static void *
pay_json_malloc_until_failed(size_t size)
{
    void  *memory = pay_json_starved ? NULL : pay_json_malloc(size);

    if (memory == NULL) {
        pay_json_starved = 1;
    }

    return memory;
}


static pay_status_t
pay_json_refused(const json_error_t *error, pay_err_t *err)
{
    size_t                     i;
    const pay_json_trouble_t  *trouble;

    for (i = 0;
         i < sizeof(pay_json_troubles) / sizeof(pay_json_troubles[0]);
         i++)
    {
        trouble = &pay_json_troubles[i];

        if (trouble->code != json_error_code(error)) {
            continue;
        }

        if (trouble->status != PAY_INVALID) {
            return trouble->status;
        }

        return pay_json_refuse_at(err, trouble->slug, trouble->detail, error);
    }

    return pay_json_refuse_at(err, "invalid-json",
                              "The text is not valid JSON.", error);
}


/* jansson counts the bytes that it has read. */
static pay_status_t
pay_json_refuse_at(pay_err_t *err, const char *slug, const char *detail,
    const json_error_t *error)
{
    (void) pay_refuse(err, slug, detail);

    if (error->position > 0) {
        pay_err_say(err, "%.*s, at byte %d.", (int) strlen(detail) - 1,
                    detail, error->position);
    }

    return PAY_INVALID;
}
