/*
 * Names of sanctions lists, as src/cli/sanctions.c and sanctions_xml.c find
 * them: spelled in Latin letters and written into arrays of PostgreSQL.
 */

#include "cli/sanctions.h"

#include "pay_payout.h"


#define NAME_MAX    350                /* bytes, of OFAC's SDN_Name */
#define NULL_FIELD  "-0-"              /* OFAC's word for none */


static void undouble(pay_str_t *name);


/* Names in Cyrillic and other letters stand beside their Latin spelling in
 * both lists; the others cannot be compared with names of accounts, which are
 * Latin. */
pay_status_t
pay_sanctions_add(pay_arena_t *arena, pay_str_t id, pay_str_t name,
    pay_sanctions_t *to)
{
    pay_str_t     latin;
    pay_status_t  status;

    if (name.len == 0 || pay_str_is(name, NULL_FIELD)
        || pay_str_is(name, NULL_FIELD " "))
    {
        return PAY_OK;
    }

    status = pay_payout_name(arena, name, NAME_MAX, &latin);

    if (status == PAY_INVALID) {
        to->unread++;
        return PAY_OK;
    }

    if (status != PAY_OK) {
        return status;
    }

    undouble(&latin);

    if (to->count++ > 0) {
        pay_buf_text(&to->ids, ",");
        pay_buf_text(&to->names, ",");
    }

    /* no letter of these needs an escape */
    pay_buf_add(&to->ids, id);
    pay_buf_text(&to->names, "\"");
    pay_buf_add(&to->names, latin);
    pay_buf_text(&to->names, "\"");

    return PAY_OK;
}


int
pay_sanctions_is_id(pay_str_t text)
{
    size_t  i;

    for (i = 0; i < text.len; i++) {
        if (text.data[i] < '0' || text.data[i] > '9') {
            return 0;
        }
    }

    return text.len > 0 && text.len < 20;
}


/* CSV doubles the quotes within a field, which are apostrophes here.  A name is
 * the same in all kinds of files, since clearances are about names. */
static void
undouble(pay_str_t *name)
{
    size_t          i, len = 0;
    unsigned char  *text = (unsigned char *) name->data;

    for (i = 0; i < name->len; i++) {
        if (i == 0 || text[i] != '\'' || text[i - 1] != '\'') {
            text[len++] = text[i];
        }
    }

    name->len = len;
}
