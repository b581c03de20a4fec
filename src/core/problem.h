/*
 * The table of problem types, apart from the code that reads it; private to
 * src/core.
 */

#ifndef PAY_PROBLEM_TABLE_H
#define PAY_PROBLEM_TABLE_H

#include "pay_problem.h"


/* Ends with a NULL slug. */
extern const pay_problem_t  pay_problems[];


#endif /* PAY_PROBLEM_TABLE_H */
