/*
 * Cells: payments_database and its sisters, which may stand once for each cell,
 * and the checks that need all of them.
 *
 *     payments_database "…"        the cell "default", for a gateway with one
 *     payments_database b "…" handle=b    another, with the letter of its
 *                                         buyers' handles
 */

#include "conf/ngx_http_payments_conf_cell.h"
#include "conf/ngx_http_payments_conf_place.h"
#include "conf/ngx_http_payments_conf_replica.h"
#include "io/ngx_payments_pq_conf.h"
#include "util/ngx_payments_process.h"


#define DEFAULT  "default"


static ngx_payments_cell_t *make(ngx_conf_t *cf,
    ngx_http_payments_main_conf_t *pmcf, const ngx_str_t *name);
static const char *lack_of(const ngx_http_payments_main_conf_t *pmcf,
    const ngx_payments_cell_t *cell);
static ngx_uint_t is_same(const ngx_payments_db_conf_t *a,
    const ngx_payments_db_conf_t *b);
static const char *name_of_host(const ngx_payments_cell_t *cell);
static ngx_int_t make_note(ngx_conf_t *cf, ngx_payments_cell_t *cell);


/* A connection string has "=" or "://" in it, a name has neither. */
char *
ngx_http_payments_database(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    char                           *rv;
    ngx_str_t                      *value = cf->args->elts, name;
    ngx_uint_t                      given, from = 1;
    ngx_payments_cell_t            *cell;
    ngx_payments_db_conf_t         *db;
    ngx_http_payments_line_t       *line = cmd->post;
    ngx_http_payments_main_conf_t  *pmcf = conf;

    ngx_str_set(&name, DEFAULT);

    if (pay_cell_is_valid(ngx_payments_str(value[1]))) {
        name = value[1];
        from = 2;

        if (cf->args->nelts == 2) {
            return "needs a connection string behind the name of the cell";
        }
    }

    cell = ngx_payments_cell_named(pmcf, ngx_payments_str(name));
    if (cell == NULL) {
        if (pmcf->cells.nelts == NGX_PAYMENTS_CELLS_MAX) {
            return "stands for more than 16 cells: run a second gateway";
        }

        cell = make(cf, pmcf, &name);
        if (cell == NULL) {
            return NGX_CONF_ERROR;
        }
    }

    rv = ngx_http_payments_once(cf, cell);
    if (rv != NGX_CONF_OK) {
        return rv;
    }

    db = &cell->dbs[cmd->offset];
    db->role = cmd->offset;
    ngx_http_payments_defaults(line->options, db);

    return ngx_http_payments_options(cf, line->options, from, db, &given);
}


/* Its pointer is noted as an owner of lines, so it stays where it is. */
static ngx_payments_cell_t *
make(ngx_conf_t *cf, ngx_http_payments_main_conf_t *pmcf,
    const ngx_str_t *name)
{
    ngx_payments_cell_t  *cell, **slot;

    cell = ngx_pcalloc(cf->pool, sizeof(ngx_payments_cell_t));
    slot = ngx_array_push(&pmcf->cells);
    if (cell == NULL || slot == NULL) {
        return NULL;
    }

    *slot = cell;
    cell->name = *name;
    cell->index = pmcf->cells.nelts - 1;

    return cell;
}


/* A handle of a cell is one character longer than one of the default, so that
 * its length says whether it has a letter. */
char *
ngx_http_payments_cell_letter(ngx_conf_t *cf, ngx_str_t *text, void *object)
{
    ngx_payments_cell_t  *cell;

    (void) cf;
    cell = (ngx_payments_cell_t *)
           ((u_char *) object - offsetof(ngx_payments_cell_t, dbs));

    if (text->len != 1 || text->data[0] < 'a' || text->data[0] > 'z') {
        return "must be one letter of a-z, which no other cell has, for "
               "example handle=b; it stands in front of the handles of the "
               "cell's buyers for ever";
    }

    cell->letter = text->data[0];

    return NGX_CONF_OK;
}


char *
ngx_http_payments_cells_resolve(ngx_conf_t *cf,
    ngx_http_payments_main_conf_t *pmcf)
{
    ngx_uint_t               i;
    ngx_conf_t              *at;
    const char              *lack;
    ngx_payments_cell_t    **cells = pmcf->cells.elts;
    ngx_http_payments_at_t   place;

    for (i = 0; i < pmcf->cells.nelts; i++) {
        lack = lack_of(pmcf, cells[i]);

        if (lack == NULL && ngx_http_payments_replica_check(cf, cells[i])
                            != NGX_CONF_OK)
        {
            return NGX_CONF_ERROR;
        }

        if (lack != NULL) {
            at = ngx_http_payments_at(&place, cf, cells[i],
                                      "payments_database", 0);
            ngx_conf_log_error(NGX_LOG_EMERG, at, 0,
                               "payments_database of the cell \"%V\" %s",
                               &cells[i]->name, lack);
            return NGX_CONF_ERROR;
        }

        if (pmcf->cells.nelts > 1 && make_note(cf, cells[i]) != NGX_OK) {
            return NGX_CONF_ERROR;
        }
    }

    return NGX_CONF_OK;
}


/* NULL: nothing.  The letter of a cell is for ever, and none is that of the
 * default: handles of before there were cells have none. */
static const char *
lack_of(const ngx_http_payments_main_conf_t *pmcf,
    const ngx_payments_cell_t *cell)
{
    ngx_uint_t             i, is_default;
    ngx_payments_cell_t  **cells = pmcf->cells.elts;

    is_default = ngx_strcmp(cell->name.data, DEFAULT) == 0;

    if (cell->dbs[PAY_ROLE_GATEWAY].dsns == NULL) {
        return cell->dbs[PAY_ROLE_REPLICA].dsns != NULL
               ? "is missing: payments_database_replica names that cell"
               : "is missing: the console has one of that name";
    }

    if (is_default != (cell->letter == 0)) {
        return is_default
               ? "must have no handle=: handles of its buyers have no letter"
               : "needs handle=LETTER: one letter of a-z, which stands in "
                 "front of the handles of its buyers";
    }

    for (i = 0; i < cell->index; i++) {
        if (cells[i]->letter == cell->letter) {
            return "has the handle= of another cell: give each its own letter";
        }

        if (is_same(&cells[i]->dbs[PAY_ROLE_GATEWAY],
                    &cell->dbs[PAY_ROLE_GATEWAY]))
        {
            return "is that of another cell: each needs its own";
        }
    }

    return pmcf->cells.nelts > 1 ? name_of_host(cell) : NULL;
}


static ngx_uint_t
is_same(const ngx_payments_db_conf_t *a, const ngx_payments_db_conf_t *b)
{
    ngx_str_t  *one = a->dsns->elts, *two = b->dsns->elts;

    return pay_str_eq(ngx_payments_str(one[0]), ngx_payments_str(two[0]));
}


/* libpq asks for the address of a name while the whole worker waits, which with
 * one database is a matter of that database alone. */
static const char *
name_of_host(const ngx_payments_cell_t *cell)
{
    ngx_str_t   *dsn;
    ngx_uint_t   role, i;

    for (role = 0; role < PAY_ROLE_COUNT; role++) {
        if (cell->dbs[role].dsns == NULL) {
            continue;
        }

        dsn = cell->dbs[role].dsns->elts;

        for (i = 0; i < cell->dbs[role].dsns->nelts; i++) {
            if (ngx_payments_pq_resolves(&dsn[i])) {
                return "has a host whose name must be resolved, while which "
                       "the worker would stand still for all cells: give "
                       "hostaddr= beside host=, an address or a directory";
            }
        }
    }

    return NULL;
}


static ngx_int_t
make_note(ngx_conf_t *cf, ngx_payments_cell_t *cell)
{
    size_t  room = sizeof(", cell:") + cell->name.len;

    cell->note.data = ngx_pnalloc(cf->pool, room);
    if (cell->note.data == NULL) {
        return NGX_ERROR;
    }

    cell->note.len = ngx_snprintf(cell->note.data, room, ", cell:%V",
                                  &cell->name) - cell->note.data;

    return NGX_OK;
}


ngx_uint_t
ngx_http_payments_cells_have(const ngx_http_payments_main_conf_t *pmcf,
    pay_op_role_t role)
{
    ngx_uint_t             i;
    ngx_payments_cell_t  **cells = pmcf->cells.elts;

    for (i = 0; i < pmcf->cells.nelts; i++) {
        if (cells[i]->dbs[role].dsns != NULL) {
            return 1;
        }
    }

    return 0;
}


ngx_int_t
ngx_http_payments_cell_find(ngx_conf_t *cf,
    const ngx_http_payments_main_conf_t *pmcf, const ngx_str_t *name)
{
    ngx_str_t             wanted = *name;
    ngx_payments_cell_t  *cell;

    if (name->len == 0) {
        ngx_str_set(&wanted, DEFAULT);
    }

    cell = ngx_payments_cell_named(pmcf, ngx_payments_str(wanted));

    if (cell == NULL && name->len == 0) {
        if (pmcf->cells.nelts == 1) {
            return 0;
        }

        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "there are several cells and none is named "
                           "\"default\": say cell");
        return NGX_ERROR;
    }

    if (cell == NULL) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "there is no cell \"%V\": a payments_database %V "
                           "\"CONNINFO\" handle=LETTER makes it", name, name);
        return NGX_ERROR;
    }

    return (ngx_int_t) cell->index;
}
