/*
 * JSON over jansson: the only file that knows it.  Untrusted text passes the
 * bounds check of json_scan.c first; jansson then refuses duplicate members,
 * trailing bytes, bad UTF-8, \u0000 and scalars at the top.  (Longer than
 * other files for that: one wrapper per call, nothing to part.)
 */

#include <stdarg.h>

#include <jansson.h>

#include "pay_json.h"
#include "json_scan.h"


#define PAY_JSON_SIZE         65536    /* default limit of a text */
#define PAY_JSON_FIRST_WRITE  512      /* most documents fit: one pass */
#define PAY_JSON_DUMP         (JSON_COMPACT | JSON_ENCODE_ANY)


typedef struct {
    /* One row for each trouble that a client can mend; every other code of
     * jansson is "invalid-json" without details. */
    enum json_error_code  code;
    pay_status_t          status;
    const char           *slug;
    const char           *detail;
} pay_json_trouble_t;

typedef struct {
    /* A walk over nested containers keeps its own stack of these, so that the
     * depth of a stranger's text never becomes depth of our C stack. */
    json_t  *container;
    void    *iter;             /* of an object */
    size_t   index;            /* of an array */
} pay_json_frame_t;


static int pay_json_is_plain(pay_str_t text);
static json_t *pay_json_load(pay_str_t text, json_error_t *error);
static void pay_json_watch(void);
static int pay_json_unwatch(void);
static void *pay_json_malloc_until_failed(size_t size);
static pay_status_t pay_json_refused(const json_error_t *error,
    pay_err_t *err);
static pay_status_t pay_json_refuse_at(pay_err_t *err, const char *slug,
    const char *detail, const json_error_t *error);
static pay_json_frame_t pay_json_frame(const pay_json_t *json);
static const pay_json_t *pay_json_next(pay_json_frame_t *frame,
    pay_str_t *name);
static int pay_json_is_container(const pay_json_t *json);
static json_t *pay_jansson(const pay_json_t *json);
static pay_json_t *pay_json_of(json_t *json);


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

/* The allocator that jansson had before pay_json_watch(), and whether it has
 * failed since.  jansson keeps its allocators in globals, so these are,
 * too. */
static json_malloc_t  pay_json_malloc;
static int            pay_json_starved;


/* The order is that of cost: the length is compared first, the bounds are
 * counted in one pass without memory, and only then does jansson allocate
 * anything. */
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

    /* jansson would say "premature end", which sends a developer to look for a
     * body that was cut off. */
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

    *json = pay_json_of(root);

    return PAY_OK;
}


void
pay_json_free(pay_json_t *json)
{
    json_decref(pay_jansson(json));
}


/* NULL, which is an absent member, reads as JSON's null: optional members may
 * be either, and callers that care compare the pointer. */
pay_json_type_t
pay_json_type(const pay_json_t *json)
{
    static const pay_json_type_t  types[] = {
        [JSON_OBJECT] = PAY_JSON_OBJECT,
        [JSON_ARRAY] = PAY_JSON_ARRAY,
        [JSON_STRING] = PAY_JSON_STRING,
        [JSON_INTEGER] = PAY_JSON_INTEGER,
        [JSON_REAL] = PAY_JSON_REAL,
        [JSON_TRUE] = PAY_JSON_TRUE,
        [JSON_FALSE] = PAY_JSON_FALSE,
        [JSON_NULL] = PAY_JSON_NULL
    };

    return json == NULL ? PAY_JSON_NULL : types[json_typeof(pay_jansson(json))];
}


size_t
pay_json_size(const pay_json_t *json)
{
    /* each is 0 for NULL and other types */
    return json_object_size(pay_jansson(json))
           + json_array_size(pay_jansson(json));
}


const pay_json_t *
pay_json_get(const pay_json_t *json, const char *member)
{
    return pay_json_of(json_object_get(pay_jansson(json), member));
}


const pay_json_t *
pay_json_at(const pay_json_t *json, size_t index)
{
    return pay_json_of(json_array_get(pay_jansson(json), index));
}


/* A member that is missing ends the walk by itself, since pay_json_get() of
 * NULL is NULL. */
const pay_json_t *
pay_json_path(const pay_json_t *json, ...)
{
    va_list      args;
    const char  *member;

    va_start(args, json);

    while ((member = va_arg(args, const char *)) != NULL) {
        json = pay_json_get(json, member);
    }

    va_end(args);

    return json;
}


/* Borrowed from jansson and terminated by a NUL; no NUL can stand within it,
 * since the parser has refused \u0000. */
pay_status_t
pay_json_string(const pay_json_t *json, pay_str_t *value)
{
    const json_t  *string = pay_jansson(json);

    if (!json_is_string(string)) {
        return PAY_NOT_FOUND;
    }

    value->len = json_string_length(string);
    value->data = (const unsigned char *) json_string_value(string);

    return PAY_OK;
}


/* 1.0 is no integer here: jansson has made a double of it, and a double must
 * never reach an amount, a time or an id. */
pay_status_t
pay_json_integer(const pay_json_t *json, int64_t *value)
{
    const json_t  *integer = pay_jansson(json);

    if (!json_is_integer(integer)) {
        return PAY_NOT_FOUND;
    }

    *value = json_integer_value(integer);

    return PAY_OK;
}


pay_status_t
pay_json_real(const pay_json_t *json, double *value)
{
    const json_t  *real = pay_jansson(json);

    if (!json_is_real(real)) {
        return PAY_NOT_FOUND;
    }

    *value = json_real_value(real);

    return PAY_OK;
}


int
pay_json_is_true(const pay_json_t *json)
{
    return json_is_true(pay_jansson(json));
}


pay_status_t
pay_json_each(const pay_json_t *json, pay_json_visit_pt visit, void *data)
{
    pay_str_t          name;
    pay_json_frame_t   frame;
    const pay_json_t  *value;

    if (!json_is_object(pay_jansson(json))) {
        return PAY_OK;
    }

    frame = pay_json_frame(json);

    /* Members come in the order in which they stand in the text: jansson keeps
     * it. */
    while ((value = pay_json_next(&frame, &name)) != NULL) {
        PAY_TRY(visit(name, value, data));
    }

    return PAY_OK;
}


/* Goes through the tree with a stack of its own; PAY_JSON_DEPTH_HARD bounds
 * it, and pay_json_scan() has refused any text that is deeper.  `pointer`,
 * unless it is NULL, gets the place where visit() refused, for the sender's
 * error. */
pay_status_t
pay_json_each_string(const pay_json_t *json, pay_json_visit_pt visit,
    void *data, char pointer[PAY_POINTER_MAX])
{
    unsigned           depth = 0;
    pay_str_t          name;
    pay_status_t       status;
    const pay_json_t  *value;
    pay_json_step_t    path[PAY_JSON_DEPTH_HARD];
    pay_json_frame_t   frames[PAY_JSON_DEPTH_HARD];

    if (json == NULL) {
        return PAY_OK;
    }

    if (!pay_json_is_container(json)) {
        return visit(PAY_STR(""), json, data);
    }

    frames[depth++] = pay_json_frame(json);

    while (depth > 0) {
        value = pay_json_next(&frames[depth - 1], &name);
        if (value == NULL) {
            depth--;
            continue;
        }

        /* index is already that of the next element, so the first one is 1
         * here, and 0 stands for a member (pay_json_step_t). */
        path[depth - 1].name = name;
        path[depth - 1].index = frames[depth - 1].index;

        status = visit(name, value, data);
        if (status != PAY_OK) {
            pay_json_pointer(path, depth, pointer);
            return status;
        }

        if (!pay_json_is_container(value)) {
            continue;
        }

        if (depth == PAY_JSON_DEPTH_HARD) {
            return PAY_BUG;
        }

        frames[depth++] = pay_json_frame(value);
    }

    return PAY_OK;
}


pay_json_t *
pay_json_object_new(void)
{
    return pay_json_of(json_object());
}


pay_json_t *
pay_json_array_new(void)
{
    return pay_json_of(json_array());
}


/* NULL for text with a NUL byte, and for text that is not UTF-8 (jansson
 * checks it); pay_json_set() makes PAY_NO_MEMORY of either. */
pay_json_t *
pay_json_string_new(pay_str_t text)
{
    /* text that we could not read back is not written */
    if (text.len != 0 && memchr(text.data, '\0', text.len) != NULL) {
        return NULL;
    }

    return pay_json_of(json_stringn(text.len != 0 ? (const char *) text.data
                                                  : "", text.len));
}


pay_json_t *
pay_json_integer_new(int64_t value)
{
    return pay_json_of(json_integer(value));
}


pay_json_t *
pay_json_boolean_new(int value)
{
    return pay_json_of(json_boolean(value));
}


pay_json_t *
pay_json_null_new(void)
{
    return pay_json_of(json_null());
}


/* Takes the value over in every case: jansson frees it when the object is full
 * or NULL, so that callers need no second way out.  A NULL value, which is an
 * allocation that failed before, fails here, and chains of calls need one
 * check. */
pay_status_t
pay_json_set(pay_json_t *object, const char *member, pay_json_t *value)
{
    /* releases the value when it fails */
    if (json_object_set_new(pay_jansson(object), member, pay_jansson(value))
        != 0)
    {
        return PAY_NO_MEMORY;
    }

    return PAY_OK;
}


pay_status_t
pay_json_set_string(pay_json_t *object, const char *member, pay_str_t text)
{
    return pay_json_set(object, member, pay_json_string_new(text));
}


pay_status_t
pay_json_set_integer(pay_json_t *object, const char *member, int64_t value)
{
    return pay_json_set(object, member, pay_json_integer_new(value));
}


pay_status_t
pay_json_append(pay_json_t *array, pay_json_t *value)
{
    if (json_array_append_new(pay_jansson(array), pay_jansson(value)) != 0) {
        return PAY_NO_MEMORY;
    }

    return PAY_OK;
}


/* The text is written twice only when it is longer than the first piece of
 * stack: most documents of the API are shorter.  json_dumpb() returns the
 * length that it needs, and 0 when it fails. */
pay_status_t
pay_json_write(pay_arena_t *arena, const pay_json_t *json, pay_str_t *text)
{
    char     first[PAY_JSON_FIRST_WRITE], *out;
    size_t   len;

    if (json == NULL) {
        return PAY_NO_MEMORY;
    }

    len = json_dumpb(pay_jansson(json), first, sizeof(first), PAY_JSON_DUMP);
    if (len == 0) {
        return PAY_NO_MEMORY;
    }

    out = pay_alloc(arena, len + 1);
    if (out == NULL) {
        return PAY_NO_MEMORY;
    }

    if (len <= sizeof(first)) {
        memcpy(out, first, len);

    } else if (json_dumpb(pay_jansson(json), out, len, PAY_JSON_DUMP) != len) {
        return PAY_NO_MEMORY;
    }

    out[len] = '\0';
    *text = (pay_str_t) { len, (const unsigned char *) out };

    return PAY_OK;
}


/* Adds the inside of a JSON string, without its quotes.  Text that needs no
 * escape (nearly every id and name) is copied as it is; jansson does the
 * rest. */
void
pay_buf_json(pay_buf_t *buf, pay_str_t text)
{
    json_t        *string;
    pay_str_t      quoted;
    pay_status_t   status;

    if (pay_json_is_plain(text)) {
        pay_buf_add(buf, text);
        return;
    }

    string = pay_jansson(pay_json_string_new(text));
    if (string == NULL) {
        pay_buf_fail(buf, PAY_INVALID);
        return;
    }

    status = pay_json_write(buf->arena, pay_json_of(string), &quoted);
    json_decref(string);

    if (status != PAY_OK) {
        pay_buf_fail(buf, status);
        return;
    }

    pay_buf_add(buf, (pay_str_t) { quoted.len - 2, quoted.data + 1 });
}


/* Printable ASCII without quote and backslash: the characters that RFC 8259
 * section 7 lets stand for themselves. */
static int
pay_json_is_plain(pay_str_t text)
{
    size_t  i;

    for (i = 0; i < text.len; i++) {
        if (text.data[i] < 0x20 || text.data[i] > 0x7e
            || text.data[i] == '"' || text.data[i] == '\\')
        {
            return 0;
        }
    }

    return 1;
}


/* Duplicate members are refused, since two readers of one text could see two
 * values (docs/security.md T22). */
static json_t *
pay_json_load(pay_str_t text, json_error_t *error)
{
    json_t  *root;

    pay_json_watch();
    root = json_loadb((const char *) text.data, text.len,
                      JSON_REJECT_DUPLICATES, error);

    /* The last byte of the text is where jansson 2.14 keeps the error code
     * that json_error_code() reads. */
    if (pay_json_unwatch()) {
        json_decref(root);
        root = NULL;
        error->text[JSON_ERROR_TEXT_LENGTH - 1] = json_error_out_of_memory;
    }

    return root;
}


/* When its token buffer can't grow, jansson 2.14 goes on without the byte: a
 * digit falls out of an amount, or the closing quote is missed and it reads on
 * behind the buffer.  So the first failed allocation makes all later ones fail,
 * which ends the parse before the token is used, and the result counts as
 * PAY_NO_MEMORY whatever jansson's result is.  Allocators that the caller had
 * set are restored; there are no threads (nginx workers, payctl). */

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


/* Fails for ever after the first failure, until pay_json_unwatch(). */
static void *
pay_json_malloc_until_failed(size_t size)
{
    void  *memory = pay_json_starved ? NULL : pay_json_malloc(size);

    if (memory == NULL) {
        pay_json_starved = 1;
    }

    return memory;
}


/* Finds the row of the trouble.  Exhausted memory is no fault of the sender
 * and has no text for one. */
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


/* Says at which byte the reading stopped, counted by jansson; a literal's last
 * character is its full stop, which goes behind the place. */
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


static pay_json_frame_t
pay_json_frame(const pay_json_t *json)
{
    json_t  *container = pay_jansson(json);

    return (pay_json_frame_t) { container, json_object_iter(container), 0 };
}


/* The next value of a container, NULL behind the last one; *name is empty for
 * elements of an array. */
static const pay_json_t *
pay_json_next(pay_json_frame_t *frame, pay_str_t *name)
{
    json_t  *value;

    *name = PAY_STR("");

    if (json_is_array(frame->container)) {
        return pay_json_of(json_array_get(frame->container, frame->index++));
    }

    if (frame->iter == NULL) {
        return NULL;
    }

    name->data = (const unsigned char *) json_object_iter_key(frame->iter);
    name->len = json_object_iter_key_len(frame->iter);
    value = json_object_iter_value(frame->iter);
    frame->iter = json_object_iter_next(frame->container, frame->iter);

    return pay_json_of(value);
}


static int
pay_json_is_container(const pay_json_t *json)
{
    return json_is_object(pay_jansson(json))
           || json_is_array(pay_jansson(json));
}


/* The cast is the whole wrapping; const goes since jansson counts
 * references in the value itself. */
static json_t *
pay_jansson(const pay_json_t *json)
{
    return (json_t *) (uintptr_t) json;
}


static pay_json_t *
pay_json_of(json_t *json)
{
    return (pay_json_t *) json;
}
