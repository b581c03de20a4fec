/*
 * Moments at which a test may stop a worker dead.  Only a build with
 * -DNGX_PAYMENTS_FAULTS (FAULTS=1 ci/build) has them: in any other the macro
 * leaves nothing behind, its arguments neither.
 */

#ifndef NGX_PAYMENTS_FAULT_H
#define NGX_PAYMENTS_FAULT_H


#ifdef NGX_PAYMENTS_FAULTS

/* Stops this process (SIGSTOP) if a test has put a file
 * <prefix>/faults/<when>-<what> there; what happens next is the test's to
 * say.  The file is renamed to <prefix>/faults/<pid> first, so one worker
 * stops, once.  `when` is before, within or after, `what` the name of an
 * operation, of a call to a PSP or of a stage. */
void ngx_payments_fault_hit(const char *when, const char *what);

#define ngx_payments_fault(when, what)  ngx_payments_fault_hit(when, what)

#else

#define ngx_payments_fault(when, what)

#endif


#endif /* NGX_PAYMENTS_FAULT_H */
