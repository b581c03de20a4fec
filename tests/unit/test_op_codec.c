/*
 * Argument structs as PostgreSQL's binary arrays, and its rows as structs: by
 * a made-up operation that has every type, and rows that belong to an item.
 */

#include "flow_driver.h"


#define COUNT(a)  (sizeof(a) / sizeof((a)[0]))


typedef struct {
    pay_str_t  id;
    pay_int_t  minor;
} part_row_t;

typedef struct {
    pay_str_t          name;
    pay_str_t          code;
    int64_t            number;
    pay_int_t          maybe;
    pay_str_t          digest;
    pay_str_t          json;
    const part_row_t  *parts;
    size_t             parts_count;
} thing_in_t;

typedef struct {
    pay_str_t   name;
    part_row_t  part;
    int64_t     number;
} thing_row_t;

typedef struct {
    pay_str_t          name;
    const part_row_t  *parts;
    size_t             parts_count;
    int64_t            number;
} things_row_t;

typedef struct {
    const pay_cell_t  *cells;
    unsigned           columns;
} grid_t;


static const pay_field_t  part_fields[] = {
    { "id", PAY_TEXT, 0, NULL }, { "minor", PAY_INT, 1, NULL }
};
static const pay_shape_t  part_shape = {
    "part", part_fields, 2, sizeof(part_row_t)
};
static const pay_field_t  thing_fields[] = {
    { "name", PAY_TEXT, 0, NULL }, { "part", PAY_SUB, 0, &part_shape },
    { "number", PAY_INT, 0, NULL }
};
static const pay_shape_t  thing_shape = {
    "thing", thing_fields, 3, sizeof(thing_row_t)
};
static const pay_field_t  things_fields[] = {
    { "name", PAY_TEXT, 0, NULL }, { "parts", PAY_ROWS, 0, &part_shape },
    { "number", PAY_INT, 0, NULL }
};
static const pay_shape_t  many_shape = {
    "things", things_fields, 3, sizeof(things_row_t)
};
static const pay_field_t  thing_in[] = {
    { "name", PAY_TEXT, 0, NULL }, { "code", PAY_TEXT, 1, NULL },
    { "number", PAY_INT, 0, NULL }, { "maybe", PAY_INT, 1, NULL },
    { "digest", PAY_BYTES, 1, NULL }, { "json", PAY_JSON, 1, NULL },
    { "parts", PAY_ROWS, 0, &part_shape }
};

static const pay_op_t  thing = {
    .name = "thing", .in = thing_in, .in_count = COUNT(thing_in),
    .in_size = sizeof(thing_in_t), .row = &thing_shape,
    .outcomes = UINT64_C(1) << PAY_OUTCOME_CREATED
                | UINT64_C(1) << PAY_OUTCOME_INVALID
};


static void
expect_bytes(pay_str_t got, const char *hex)
{
    char      text[1024];
    size_t    i;
    unsigned  n = 0;

    for (i = 0; i < got.len && n < sizeof(text) - 3; i++) {
        n += (unsigned) snprintf(text + n, sizeof(text) - n, "%02x",
                                 got.data[i]);
    }

    text[n] = '\0';
    cr_expect_str_eq(text, hex);
}


/* Header: dimensions, has NULLs, type, length, lower bound. */
Test(pay_op_codec, arguments_are_arrays_of_their_types)
{
    pay_str_t     arrays[PAY_OP_COLUMNS_MAX];
    thing_in_t    a = { .name = PAY_STR("ab"), .number = -2 };
    thing_in_t    b = {
        .name = PAY_STR(""), .code = PAY_STR("c"), .number = 258,
        .maybe = pay_some(0), .digest = PAY_STR("\x01\xff"),
        .json = PAY_STR("{}")
    };
    const void   *items[] = { &a, &b };

    cr_assert_eq(pay_op_encode(test_arena(), &thing, items, 2, arrays),
                 PAY_OK);
    expect_bytes(arrays[0], "00000001" "00000000" "00000019" "00000002"
                 "00000001" "000000026162" "00000000");
    expect_bytes(arrays[1], "00000001" "00000001" "00000019" "00000002"
                 "00000001" "ffffffff" "0000000163");
    expect_bytes(arrays[2], "00000001" "00000000" "00000014" "00000002"
                 "00000001" "00000008fffffffffffffffe"
                 "000000080000000000000102");
    expect_bytes(arrays[3], "00000001" "00000001" "00000014" "00000002"
                 "00000001" "ffffffff" "000000080000000000000000");
    expect_bytes(arrays[4], "00000001" "00000001" "00000011" "00000002"
                 "00000001" "ffffffff" "0000000201ff");
    expect_bytes(arrays[5], "00000001" "00000001" "00000eda" "00000002"
                 "00000001" "ffffffff" "00000003017b7d");
    expect_bytes(arrays[6], "00000000" "00000000" "00000014");
}


Test(pay_op_codec, rows_of_items_say_whose_they_are)
{
    pay_str_t         arrays[PAY_OP_COLUMNS_MAX];
    const part_row_t  first[] = {
        { PAY_STR("x"), pay_some(1) }, { PAY_STR("y"), { 0, 0 } }
    };
    const part_row_t  third[] = { { PAY_STR("z"), pay_some(3) } };
    thing_in_t        a = { .parts = first, .parts_count = 2 };
    thing_in_t        b = { .parts_count = 0 };
    thing_in_t        c = { .parts = third, .parts_count = 1 };
    const void       *items[] = { &a, &b, &c };

    cr_assert_eq(pay_op_encode(test_arena(), &thing, items, 3, arrays),
                 PAY_OK);
    expect_bytes(arrays[6], "00000001" "00000000" "00000014" "00000003"
                 "00000001" "000000080000000000000001"
                 "000000080000000000000001" "000000080000000000000003");
    expect_bytes(arrays[7], "00000001" "00000000" "00000019" "00000003"
                 "00000001" "0000000178" "0000000179" "000000017a");
    expect_bytes(arrays[8], "00000001" "00000001" "00000014" "00000003"
                 "00000001" "000000080000000000000001" "ffffffff"
                 "000000080000000000000003");
}


Test(pay_op_codec, arguments_are_named_as_sql_names_them)
{
    char          sql[PAY_OP_SQL_MAX];
    pay_column_t  columns[PAY_OP_COLUMNS_MAX];

    (void) pay_op_sql(&thing, sql);
    cr_expect_str_eq(sql, "SELECT * FROM pay_api.thing(p_name=>$1,p_code=>$2,"
                     "p_number=>$3,p_maybe=>$4,p_digest=>$5,p_json=>$6,"
                     "p_parts_item=>$7,p_parts_id=>$8,p_parts_minor=>$9)");
    cr_expect_eq(pay_op_args(&thing, columns), 9);
    cr_expect_eq(columns[6].type, PAY_INT);
    cr_expect_eq(columns[7].type, PAY_TEXT);
    cr_assert_eq(pay_op_columns(&thing, columns), 4);
    cr_expect_str_eq(columns[1].name, "id");
    cr_expect_str_eq(columns[3].name, "number");
    cr_expect_eq(pay_type_array(PAY_TEXT), 1009);
    cr_expect_eq(pay_type_array(PAY_BYTES), 1001);
    cr_expect_eq(pay_type_array(PAY_INT), 1016);
    cr_expect_eq(pay_type_array(PAY_JSON), 3807);
}


static pay_status_t
torture_encode(pay_arena_t *arena, void *result)
{
    pay_str_t    arrays[PAY_OP_COLUMNS_MAX];
    thing_in_t   a = { .name = PAY_STR("a") };
    const void  *items[] = { &a };

    (void) result;

    return pay_op_encode(arena, &thing, items, 1, arrays);
}


Test(pay_op_codec, failing_memory_sends_nothing)
{
    cr_expect_geq(torture(torture_encode, 0), 10);
}


#define CELL(text)  { (const unsigned char *) (text), sizeof(text) - 1, 0 }
#define NIL         { NULL, 0, 1 }
#define ONE         CELL("\0\0\0\1")
#define TWO         CELL("\0\0\0\2")
#define NUMBER(n)   CELL("\0\0\0\0\0\0\0" n)
#define ROW(item, outcome, name, id, minor, number)                           \
    item, CELL(outcome), name, id, minor, number
#define GOOD(item, name)                                                      \
    item, CELL("created"), CELL(name), CELL("p"), NUMBER("\5"), NUMBER("\7")


static pay_cell_t
grid_cell(const void *rows, unsigned row, unsigned column)
{
    const grid_t  *grid = rows;

    return grid->cells[row * grid->columns + column];
}


static pay_status_t
decode(pay_heap_t *heap, const pay_op_t *op, const pay_cell_t *cells,
    unsigned rows, pay_result_t *results)
{
    grid_t       grid = { cells, 6 };
    pay_table_t  table = { &grid, rows, 6, grid_cell };

    return pay_op_decode(pay_heap_arena(heap), op, &table, results, 2);
}


Test(pay_op_codec, rows_come_back_by_item)
{
    pay_heap_t         *heap = pay_heap_create();
    pay_result_t        results[2];
    const thing_row_t  *row;
    const pay_cell_t    cells[] = {
        GOOD(TWO, "b"), ROW(ONE, "created", CELL("a"), NIL, NIL, NUMBER("\1"))
    };

    cr_assert_eq(decode(heap, &thing, cells, 2, results), PAY_OK);
    cr_expect(results[0].op == &thing && results[1].op == &thing);
    cr_expect_eq(results[0].outcome, PAY_OUTCOME_CREATED);
    cr_expect_null(pay_result_row(&results[0], &part_shape));

    row = pay_result_row(&results[0], &thing_shape);
    cr_assert_not_null(row);
    cr_expect(pay_str_is(row->name, "a") && row->number == 1);
    cr_expect(row->part.id.len == 0 && !row->part.minor.is_set,
              "a part may be missing on its own");

    row = pay_result_row(&results[1], &thing_shape);
    cr_assert_not_null(row);
    cr_expect(pay_str_is(row->name, "b") && row->number == 7);
    cr_expect(pay_str_is(row->part.id, "p"));
    cr_expect(row->part.minor.is_set && row->part.minor.number == 5);
    pay_heap_destroy(heap);
}


Test(pay_op_codec, an_outcome_may_come_without_a_row)
{
    pay_heap_t        *heap = pay_heap_create();
    pay_result_t       results[2];
    const pay_cell_t   cells[] = {
        ROW(ONE, "invalid", NIL, NIL, NIL, NIL), GOOD(TWO, "b")
    };

    cr_assert_eq(decode(heap, &thing, cells, 2, results), PAY_OK);
    cr_expect_eq(results[0].outcome, PAY_OUTCOME_INVALID);
    cr_expect_null(pay_result_row(&results[0], &thing_shape));
    cr_expect_not_null(pay_result_row(&results[1], &thing_shape));
    pay_heap_destroy(heap);
}


/* What the lists do not allow is never guessed; the other item is good. */
Test(pay_op_codec, what_may_not_be_is_no_result)
{
    size_t             i;
    pay_heap_t        *heap = pay_heap_create();
    pay_result_t       results[2];

    static const pay_cell_t  rows[][6] = {
        { ROW(ONE, "stored", CELL("a"), NIL, NIL, NUMBER("\1")) },
        { ROW(ONE, "", CELL("a"), NIL, NIL, NUMBER("\1")) },
        { ROW(ONE, "Created", CELL("a"), NIL, NIL, NUMBER("\1")) },
        { ROW(ONE, "created ", CELL("a"), NIL, NIL, NUMBER("\1")) },
        { ONE, NIL, CELL("a"), NIL, NIL, NUMBER("\1") },
        { ROW(ONE, "created", NIL, NIL, NIL, NUMBER("\1")) },
        { ROW(ONE, "created", CELL("a"), NIL, NIL, NIL) },
        { ROW(ONE, "created", CELL("a"), NIL, NUMBER("\1"), NUMBER("\1")) },
        { ROW(ONE, "created", CELL("a"), NIL, NIL, CELL("\0\0\0\1")) },
        { ROW(ONE, "created", CELL("a"), NIL, NIL, CELL("")) },
        { ROW(CELL("\0\0\0\3"), "created", CELL("a"), NIL, NIL,
              NUMBER("\1")) },
        { ROW(CELL("\0\0\0\0"), "created", CELL("a"), NIL, NIL,
              NUMBER("\1")) },
        { ROW(CELL("\0\1"), "created", CELL("a"), NIL, NIL, NUMBER("\1")) },
        { ROW(NIL, "created", CELL("a"), NIL, NIL, NUMBER("\1")) }
    };

    static const pay_cell_t  good[6] = { GOOD(TWO, "b") };

    for (i = 0; i < COUNT(rows); i++) {
        pay_cell_t  cells[12];

        memcpy(cells, rows[i], sizeof(rows[i]));
        memcpy(cells + 6, good, sizeof(good));
        cr_expect_eq(decode(heap, &thing, cells, 2, results), PAY_BUG,
                     "row %zu", i);
        cr_expect_eq(results[0].outcome, PAY_OUTCOME_NONE, "row %zu", i);
        cr_expect_null(pay_result_row(&results[0], &thing_shape));
        cr_expect_eq(results[1].outcome, PAY_OUTCOME_CREATED, "row %zu", i);
    }

    pay_heap_destroy(heap);
}


Test(pay_op_codec, another_number_of_columns_is_no_answer_at_all)
{
    unsigned          i;
    grid_t            grid;
    pay_result_t      results[2];
    const pay_cell_t  cells[] = { GOOD(ONE, "a"), NIL };

    for (i = 5; i <= 7; i++) {
        pay_table_t  table = { &grid, 1, i, grid_cell };

        grid = (grid_t) { cells, i };
        cr_expect_eq(pay_op_decode(test_arena(), &thing, &table,
                                   results, 2), i == 6 ? PAY_OK : PAY_BUG);
        cr_expect_eq(results[0].outcome, i == 6 ? PAY_OUTCOME_CREATED
                                                : PAY_OUTCOME_NONE);
        cr_expect_eq(results[1].outcome, PAY_OUTCOME_NONE, "it is left out");
    }
}


Test(pay_op_codec, an_item_has_one_row_unless_its_shape_has_rows)
{
    pay_op_t             many = thing;
    pay_heap_t          *heap = pay_heap_create();
    pay_result_t         results[2];
    const things_row_t  *row;
    const pay_cell_t     cells[] = {
        ROW(ONE, "created", CELL("a"), CELL("x"), NIL, NUMBER("\1")),
        ROW(ONE, "created", CELL("a"), CELL("y"), NUMBER("\2"), NUMBER("\1")),
        GOOD(TWO, "c")
    };

    many.row = &many_shape;

    cr_expect_eq(decode(heap, &thing, cells, 3, results), PAY_BUG);
    cr_expect_eq(results[0].outcome, PAY_OUTCOME_NONE);
    cr_expect_eq(results[1].outcome, PAY_OUTCOME_CREATED);

    cr_assert_eq(decode(heap, &many, cells, 3, results), PAY_OK);
    row = pay_result_row(&results[0], &many_shape);
    cr_assert_not_null(row);
    cr_expect(pay_str_is(row->name, "a") && row->number == 1);
    cr_assert_eq(row->parts_count, 2);
    cr_expect(pay_str_is(row->parts[0].id, "x") && !row->parts[0].minor.is_set);
    cr_expect(pay_str_is(row->parts[1].id, "y"));
    cr_expect_eq(row->parts[1].minor.number, 2);

    row = pay_result_row(&results[1], &many_shape);
    cr_assert_not_null(row);
    cr_expect(row->parts_count == 1 && pay_str_is(row->parts[0].id, "p"));
    pay_heap_destroy(heap);
}


Test(pay_op_codec, an_item_may_have_no_rows_of_its_own)
{
    pay_op_t             many = thing;
    pay_heap_t          *heap = pay_heap_create();
    pay_result_t         results[2];
    const things_row_t  *row;
    const pay_cell_t     cells[] = {
        ROW(ONE, "created", CELL("a"), NIL, NIL, NUMBER("\1")),
        ROW(TWO, "invalid", NIL, NIL, NIL, NIL)
    };

    many.row = &many_shape;
    cr_assert_eq(decode(heap, &many, cells, 2, results), PAY_OK);
    row = pay_result_row(&results[0], &many_shape);
    cr_assert_not_null(row);
    cr_expect(row->parts_count == 0 && row->parts == NULL);
    cr_expect_null(pay_result_row(&results[1], &many_shape));
    pay_heap_destroy(heap);
}


/* Rows of an item stand together and say the same. */
Test(pay_op_codec, rows_of_an_item_are_of_one_piece)
{
    size_t         i;
    pay_op_t       many = thing;
    pay_heap_t    *heap = pay_heap_create();
    pay_result_t   results[2];

    static const pay_cell_t  rows[][18] = {
        { GOOD(ONE, "a"), GOOD(TWO, "c"), GOOD(ONE, "b") },
        { GOOD(ONE, "a"), ROW(ONE, "invalid", CELL("b"), NIL, NIL,
                              NUMBER("\1")), GOOD(TWO, "c") },
        { GOOD(ONE, "a"), ROW(ONE, "created", NIL, NIL, NIL, NIL),
          GOOD(TWO, "c") },
        { ROW(ONE, "created", NIL, NIL, NIL, NIL), GOOD(ONE, "a"),
          GOOD(TWO, "c") },
        { ROW(ONE, "stored", CELL("a"), NIL, NIL, NUMBER("\1")),
          GOOD(ONE, "a"), GOOD(TWO, "c") },
        { GOOD(ONE, "a"), ROW(ONE, "created", CELL("a"), NIL, NIL,
                              NUMBER("\1")), GOOD(TWO, "c") },
        { ROW(ONE, "created", CELL("a"), NIL, NIL, NUMBER("\1")),
          GOOD(ONE, "a"), GOOD(TWO, "c") }
    };

    many.row = &many_shape;

    for (i = 0; i < COUNT(rows); i++) {
        cr_expect_eq(decode(heap, &many, rows[i], 3, results), PAY_BUG,
                     "rows %zu", i);
        cr_expect_eq(results[0].outcome, PAY_OUTCOME_NONE, "rows %zu", i);
        cr_expect_eq(results[1].outcome, PAY_OUTCOME_CREATED, "rows %zu", i);
    }

    pay_heap_destroy(heap);
}


Test(pay_op_codec, words_of_outcomes_are_those_of_sql)
{
    cr_expect_str_eq(pay_outcome_word(PAY_OUTCOME_NONE), "");
    cr_expect_str_eq(pay_outcome_word(PAY_OUTCOME_NO_JOB), "none");
    cr_expect_str_eq(pay_outcome_word(PAY_OUTCOME_KEY_REUSED), "key_reused");
    cr_expect_str_eq(pay_outcome_word(PAY_OUTCOME_COUNT), "");
}
