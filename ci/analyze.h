/*
 * What ci/analyze tells the analyzers of every file, because they see one file
 * at a time: a refusal is never PAY_OK, so that its caller returns before it
 * reads what only a success would have filled.  Never part of a build.
 */

#include "pay_status.h"

#define pay_refuse(...)     ((void) pay_refuse(__VA_ARGS__), PAY_INVALID)
#define pay_refuse_at(...)  ((void) pay_refuse_at(__VA_ARGS__), PAY_INVALID)
