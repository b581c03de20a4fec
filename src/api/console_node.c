/*
 * The figures of the node that answers, which PostgreSQL does not have: they go
 * along with the query of the page that shows them, as the settings do.
 */

#include "pay_console.h"
#include "pay_json.h"


int
pay_console_wants_node(const pay_console_asked_t *asked)
{
    return pay_str_is(pay_str_of(pay_console_page_name(asked->page)), "psps");
}


pay_status_t
pay_console_add_node(pay_arena_t *arena, pay_str_t node,
    pay_console_asked_t *asked)
{
    pay_err_t      err;
    pay_json_t    *query;
    pay_status_t   status;

    PAY_TRY(pay_json_parse(asked->query, NULL, &query, &err));

    status = pay_json_set_string(query, "node", node);

    if (status == PAY_OK) {
        status = pay_json_write(arena, query, &asked->query);
    }

    pay_json_free(query);

    return status;
}
