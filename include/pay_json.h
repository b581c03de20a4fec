/*
 * JSON, read from strangers and written for them; the only door to jansson
 * (src/core/json.c).  Reading refuses (RFC 8259, docs/security.md F8):
 * duplicate members, depth over PAY_JSON_DEPTH, more than PAY_JSON_WIDTH
 * members or elements in one container, trailing bytes, bad UTF-8, \u0000,
 * BOM.
 */

#ifndef PAY_JSON_H
#define PAY_JSON_H

#include "pay_arena.h"


#define PAY_JSON_DEPTH  16
#define PAY_JSON_WIDTH  64
#define PAY_JSON_VALUES  8192
#define PAY_JSON_DEPTH_HARD  64    /* no limits may allow more */

typedef struct pay_json_s  pay_json_t;

/* From a container to one of its values. */
typedef struct {
    pay_str_t  name;           /* of a member */
    size_t     index;          /* of an element, the first is 1; 0: a member */
} pay_json_step_t;

typedef enum {
    PAY_JSON_OBJECT, PAY_JSON_ARRAY, PAY_JSON_STRING, PAY_JSON_INTEGER,
    PAY_JSON_REAL, PAY_JSON_TRUE, PAY_JSON_FALSE, PAY_JSON_NULL
} pay_json_type_t;

typedef struct {
    size_t    max_size;        /* bytes; 0: 64 KiB */
    unsigned  max_depth;       /* 0: PAY_JSON_DEPTH */
    unsigned  max_width;       /* 0: PAY_JSON_WIDTH */
    unsigned  max_values;      /* of all containers; 0: PAY_JSON_VALUES */
} pay_json_limits_t;


/* Parses untrusted text.  On PAY_OK the caller owns *json (pay_json_free).
 * Else PAY_INVALID with "invalid-json", "duplicate-member" (each says at
 * which byte) or "content-too-large", or PAY_NO_MEMORY.  `limits` NULL: the
 * defaults.  The top must be an object or array. */
pay_status_t pay_json_parse(pay_str_t text, const pay_json_limits_t *limits,
    pay_json_t **json, pay_err_t *err) PAY_MUST_CHECK;

/* Drops a reference; NULL is fine. */
void pay_json_free(pay_json_t *json);

/* PAY_JSON_NULL for NULL, too. */
pay_json_type_t pay_json_type(const pay_json_t *json);
/* How many members or elements; 0 for NULL and for other types. */
size_t pay_json_size(const pay_json_t *json);

/* Borrowed children; NULL when absent or `json` is NULL or of another type. */
const pay_json_t *pay_json_get(const pay_json_t *json, const char *member);
const pay_json_t *pay_json_at(const pay_json_t *json, size_t index);
/* Follows member names, the last NULL: pay_json_path(j, "data", "id", NULL) */
const pay_json_t *pay_json_path(const pay_json_t *json, ...)
    __attribute__((sentinel));

/* Borrowed bytes of a string, PAY_NOT_FOUND for anything else (or NULL). */
pay_status_t pay_json_string(const pay_json_t *json, pay_str_t *value)
    PAY_MUST_CHECK;
/* An integer, PAY_NOT_FOUND for anything else (reals included). */
pay_status_t pay_json_integer(const pay_json_t *json, int64_t *value)
    PAY_MUST_CHECK;
/* A real, PAY_NOT_FOUND for anything else (integers included). */
pay_status_t pay_json_real(const pay_json_t *json, double *value)
    PAY_MUST_CHECK;
/* 1 for JSON true, else 0. */
int pay_json_is_true(const pay_json_t *json);

/* Calls visit(name, value, data) for each member in order, until it returns
 * other than PAY_OK, which is handed on.  No object: nothing to visit. */
typedef pay_status_t (*pay_json_visit_pt)(pay_str_t name,
    const pay_json_t *value, void *data);
pay_status_t pay_json_each(const pay_json_t *json, pay_json_visit_pt visit,
    void *data) PAY_MUST_CHECK;
/* Visits the whole tree (iterative), so that each string is seen, member names
 * too: visit() gets every member with its name and every element with an empty
 * name, of whatever type; a top that is no container comes with an empty name.
 * Deeper than PAY_JSON_DEPTH_HARD: PAY_BUG.  When visit() ends the walk, the
 * place is written to `pointer`, unless that is NULL. */
pay_status_t pay_json_each_string(const pay_json_t *json,
    pay_json_visit_pt visit, void *data, char pointer[PAY_POINTER_MAX])
    PAY_MUST_CHECK;
/* The steps as a JSON pointer (RFC 6901), as far as it can be written: it
 * ends before a name that does not fit or that has other bytes than printable
 * ASCII.  `pointer` NULL: nothing is done. */
void pay_json_pointer(const pay_json_step_t *steps, unsigned count,
    char pointer[PAY_POINTER_MAX]);

/* Building.  New values are owned by the caller until added to a container,
 * which then owns them (also when adding fails).  NULL values make the call
 * fail, so that only the last result needs checking. */
pay_json_t *pay_json_object_new(void);
pay_json_t *pay_json_array_new(void);
pay_json_t *pay_json_string_new(pay_str_t text);   /* must be UTF-8 */
pay_json_t *pay_json_integer_new(int64_t value);
pay_json_t *pay_json_boolean_new(int value);
pay_json_t *pay_json_null_new(void);
/* A string with a NUL or bad UTF-8 gives NULL; a NULL object, array or value
 * makes the calls below fail with PAY_NO_MEMORY. */
pay_status_t pay_json_set(pay_json_t *object, const char *member,
    pay_json_t *value) PAY_MUST_CHECK;
pay_status_t pay_json_set_string(pay_json_t *object, const char *member,
    pay_str_t text) PAY_MUST_CHECK;
pay_status_t pay_json_set_integer(pay_json_t *object, const char *member,
    int64_t value) PAY_MUST_CHECK;
pay_status_t pay_json_append(pay_json_t *array, pay_json_t *value)
    PAY_MUST_CHECK;

/* Compact text in insertion order, owned by the arena. */
pay_status_t pay_json_write(pay_arena_t *arena, const pay_json_t *json,
    pay_str_t *text) PAY_MUST_CHECK;

/* The content between the quotes of a JSON string; a text that cannot be one
 * (NUL, not UTF-8), or for which jansson has no memory, is PAY_INVALID. */
void pay_buf_json(pay_buf_t *buf, pay_str_t text);


#endif /* PAY_JSON_H */
