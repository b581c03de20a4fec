/*
 * What the simulator's files about settlement share: the lines of the PSPs'
 * books, and the files that are made of them.
 */

#ifndef SIM_SETTLE_H
#define SIM_SETTLE_H

#include "sim.h"


#define SIM_FILE_ROWS  96

/* What is wrong with the row of a line, if it comes at all. */
typedef enum {
    SIM_LINE_RIGHT = 0,
    SIM_LINE_MISSING,          /* in no file */
    SIM_LINE_LATE,             /* in the last one */
    SIM_LINE_AMOUNT,
    SIM_LINE_CURRENCY,
    SIM_LINE_DOUBLED,          /* again, under another key */
    SIM_LINE_STRANGE,          /* of a type that nobody knows */
    SIM_LINE_EXTRA,            /* of a payment that is not ours */
    SIM_LINE_FAULTS
} sim_line_fault_t;

typedef struct sim_line_s  sim_line_t;
typedef struct sim_file_s  sim_file_t;

/* Money that has moved at a PSP. */
struct sim_line_s {
    sim_reg_t         *reg;              /* NULL: none of ours */
    const char        *kind;             /* a literal, a word of ours */
    pay_str_t          key;
    pay_str_t          object;           /* the PSP's id of it */
    int64_t            minor;            /* into the balance */
    int64_t            fee;              /* of that, in the same row: <= 0 */
    int64_t            at;
    sim_line_fault_t   fault;
    int                is_drawn;         /* its fault was decided */
    sim_file_t        *file;             /* NULL: none yet */
    int                is_settled;       /* a row of it counts: its entries are
                                            closed */
    sim_line_t        *next;
};

typedef enum {
    SIM_FILE_WAITS = 0, SIM_FILE_BOOKED, SIM_FILE_REFUSED
} sim_file_state_t;

struct sim_file_s {
    sim_psp_t          *psp;
    unsigned            number;
    pay_str_t           name, text, payout;
    unsigned char       sha256[PAY_SHA256_SIZE];
    sim_file_state_t    state;           /* of the directory */
    int                 is_bad;          /* its sums do not hold */
    sim_file_t         *first;           /* the version before, or NULL */
    sim_line_t         *gone;            /* that this version lacks */
    sim_line_t         *rows[SIM_FILE_ROWS];
    unsigned            row_count;
    sim_file_t         *next;            /* older */
};

struct sim_settle_s {
    pay_settle_source_t   sources[SIM_PSPS];
    sim_line_t           *lines[SIM_PSPS];     /* newest first */
    sim_file_t           *files;
    unsigned              file_count;
    int                   is_looked[SIM_PSPS];   /* somebody looks for files */
    int                   is_last;             /* what is late comes now */
    const char           *closed;              /* the document of a day */
    const char           *day;
};


/* write.c: the text of a file and its digest. */
void sim_file_write(sim_t *sim, sim_file_t *file);
/* The same, of which the sums do not hold; 0: that cannot be. */
int sim_file_spoil(sim_t *sim, sim_file_t *file);
/* A row's net, with its fault. */
int64_t sim_line_net(const sim_line_t *line);

/* import.c: as payctl settlement import does it, at times beside another one
 * and to no end. */
void sim_import(sim_t *sim, sim_file_t *file);

#endif /* SIM_SETTLE_H */
