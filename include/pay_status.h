/*
 * The return values of every core function.  Outcomes that a caller must
 * distinguish are values; the reason of a refusal goes to pay_err_t as a
 * problem slug (docs/security.md#hostile-requests) and texts of our own.  Of
 * the input it repeats only what the sender needs to find the place: the name
 * of an unknown member, the host of a return_url.
 */

#ifndef PAY_STATUS_H
#define PAY_STATUS_H


typedef enum {
    PAY_OK = 0,
    PAY_INVALID,         /* untrusted input refused; pay_err_t says why */
    PAY_NOT_FOUND,       /* looked up and absent */
    PAY_NO_MEMORY,       /* the arena is exhausted; nothing was written */
    PAY_BUG              /* our own mistake: a precondition did not hold */
} pay_status_t;


#define PAY_MUST_CHECK   __attribute__((warn_unused_result))

#define PAY_POINTER_MAX  128
#define PAY_DETAIL_MAX   256


/* slug is a literal, and so is detail unless it points to `text`: copy one
 * with pay_err_copy().  pointer is an RFC 6901 JSON pointer, or the empty
 * string. */
typedef struct {
    const char  *slug;
    const char  *detail;
    char         pointer[PAY_POINTER_MAX];
    char         text[PAY_DETAIL_MAX];
} pay_err_t;


/* Fills *err (when not NULL) and returns PAY_INVALID. */
pay_status_t pay_refuse(pay_err_t *err, const char *slug, const char *detail);

/* The same, with a JSON pointer: printf-like, only %s of our own names, %u. */
pay_status_t pay_refuse_at(pay_err_t *err, const char *slug,
    const char *detail, const char *pointer, ...)
    __attribute__((format(printf, 4, 5)));

/* Puts a text of at most PAY_DETAIL_MAX - 1 bytes, printf-like, in the place
 * of the detail of a refusal; a longer one leaves the detail as it is. */
void pay_err_say(pay_err_t *err, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* A copy that does not point into `from`, which may end. */
void pay_err_copy(pay_err_t *to, const pay_err_t *from);


/* For a table that another counts or an enum indexes: a row that is missing
 * does not compile, where it would have been NULL. */
#define PAY_ROWS(table, count)                                                \
    _Static_assert(sizeof(table) / sizeof((table)[0]) == (count),             \
                   #table " has not " #count " rows")

#define PAY_TRY(x)                                                            \
    do {                                                                      \
        pay_status_t  pay_try_status_ = (x);                                  \
        if (pay_try_status_ != PAY_OK) {                                      \
            return pay_try_status_;                                           \
        }                                                                     \
    } while (0)


#endif /* PAY_STATUS_H */
