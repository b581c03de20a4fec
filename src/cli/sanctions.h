/*
 * Files of sanctions lists: the names that they have, in Latin letters.
 * Private to src/cli.
 */

#ifndef PAY_SRC_CLI_SANCTIONS_H
#define PAY_SRC_CLI_SANCTIONS_H

#include "pay_arena.h"
#include "pay_status.h"
#include "pay_str.h"


typedef enum {
    PAY_SANCTIONS_OFAC = 0,    /* of OFAC: sdn.xml, or sdn.csv and alt.csv,
                                  see pay_sanctions_complete() */
    PAY_SANCTIONS_EU           /* csvFullSanctionsList_1_1 of the EU: a header,
                                  semicolons */
} pay_sanctions_format_t;

/* ids and names are arrays as PostgreSQL reads them, without the braces. */
typedef struct {
    pay_buf_t  ids;
    pay_buf_t  names;
    size_t     count;
    size_t     unread;         /* names in other letters, which are left out */
    size_t     weak;           /* weak aliases of sdn.xml, likewise */
    size_t     entries;        /* files that have the entries of a list */
    size_t     aliases;        /* files that have other names of these; sdn.xml
                                  is one of both */
} pay_sanctions_t;


/* Adds the names of a file, all of it.  PAY_INVALID: it is no such file, was
 * cut, or its records are of two files; *wrong says why. */
pay_status_t pay_sanctions_read(pay_arena_t *arena, pay_str_t file,
    pay_sanctions_format_t format, pay_sanctions_t *to, const char **wrong)
    PAY_MUST_CHECK;

/* PAY_INVALID: a file of the list is missing, or stands twice; *wrong says
 * which.  A list without its aliases would let a listed person pass. */
pay_status_t pay_sanctions_complete(const pay_sanctions_t *to,
    pay_sanctions_format_t format, const char **wrong) PAY_MUST_CHECK;

/* pay_sanctions_read() of a file that begins as XML does. */
pay_status_t pay_sanctions_read_xml(pay_arena_t *arena, pay_str_t file,
    pay_sanctions_t *to, const char **wrong) PAY_MUST_CHECK;

/* Adds a name; one that has no Latin spelling is counted and left out.  The id
 * is one that pay_sanctions_is_id() has seen: 1 for 1 to 19 digits. */
pay_status_t pay_sanctions_add(pay_arena_t *arena, pay_str_t id,
    pay_str_t name, pay_sanctions_t *to) PAY_MUST_CHECK;
int pay_sanctions_is_id(pay_str_t text);


#endif /* PAY_SRC_CLI_SANCTIONS_H */
