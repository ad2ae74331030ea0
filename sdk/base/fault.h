/* fault.h: texts that tell people which field of outside data is wrong and how to mend it. A build
 * in which nobody reads them, but only whether something is wrong (the WASM core), is made with
 * CAIRN_QUIET_FAULTS: it has neither the texts nor what hands them about. */
#ifndef CAIRN_BASE_FAULT_H
#define CAIRN_BASE_FAULT_H

#ifdef CAIRN_QUIET_FAULTS
#    define CAIRN__FAULT_TEXT(text) ((const char *)0)
#    define CAIRN__FAULT(text) "" /* a text that also says: there is a fault */
enum { CAIRN__FAULTS_ARE_TOLD = 0 };
#else
#    define CAIRN__FAULT_TEXT(text) (text)
#    define CAIRN__FAULT(text) (text)
enum { CAIRN__FAULTS_ARE_TOLD = 1 };
#endif

#endif
