/*
 * The answers of the console that are the same for all who have the same
 * rights, and the key of such an answer.
 *
 * The list of pages says yes for each: a page that is not in it, a new one,
 * too, is made for its caller alone.  Its answer must depend on the page, the
 * query, the roles and the merchants, on the name of the caller in no way, and
 * must hold no data of a person.
 */

#include "pay_console.h"


#define KEY_MAX  16384


static int is_shared(const pay_console_asked_t *asked);


static const char  *const shared_pages[] = {
    "now", "payments", "jobs", "letters", "mismatches", "late", "unknown",
    "webhooks", "inbox", "quarantine", "deliveries", "disputes", "psps",
    "money", "wallets", "settlement", "exceptions", "payouts", "batches",
    "risk", "changes"
};


/* Each part has its length before it, so that two keys that are equal have
 * equal parts.  No merchants (all of them) differ from any array by it, too. */
pay_status_t
pay_console_shared_key(pay_arena_t *arena, const pay_staff_t *staff,
    const pay_console_asked_t *asked, pay_str_t *key)
{
    pay_status_t  status;

    if (!is_shared(asked)) {
        return PAY_NOT_FOUND;
    }

    status = pay_format(arena, key, KEY_MAX, "%s %u %zu:%.*s %zu:%.*s",
                        pay_console_page_name(asked->page), staff->roles,
                        staff->merchants.len, pay_fmt(staff->merchants),
                        asked->query.len, pay_fmt(asked->query));

    return status == PAY_INVALID ? PAY_NOT_FOUND : status;
}


/* The first page of a list alone: nobody polls the others. */
static int
is_shared(const pay_console_asked_t *asked)
{
    size_t     i;
    pay_str_t  name = pay_str_of(pay_console_page_name(asked->page));

    for (i = 0; i < sizeof(shared_pages) / sizeof(shared_pages[0]); i++) {
        if (pay_str_is(name, shared_pages[i])) {
            return asked->is_first;
        }
    }

    return 0;
}
