/* Strings of the status list, and the one way to fill a fault. */
#include "status.h"

#include <stdarg.h>
#include <stdio.h>

#define LJ_STATUS_NAME(name, text) #name,
#define LJ_STATUS_TEXT(name, text) text,
static const char *const names[] = {LJ_STATUS_LIST(LJ_STATUS_NAME)};
static const char *const texts[] = {LJ_STATUS_LIST(LJ_STATUS_TEXT)};

int lj_status_count(void) {
    return LJ_STATUS_COUNT;
}

const char *lj_status_name(lj_status status) {
    return status >= 0 && status < LJ_STATUS_COUNT ? names[status] : NULL;
}

const char *lj_status_text(lj_status status) {
    return status >= 0 && status < LJ_STATUS_COUNT ? texts[status] : NULL;
}

lj_status lj_fail(lj_fault *fault, lj_status status, uint64_t offset, uint64_t value,
                  const char *format, ...) {
    if (fault) {
        fault->status = status;
        fault->line = 0;
        fault->offset = offset;
        fault->value = value;
        va_list args;
        va_start(args, format);
        vsnprintf(fault->detail, sizeof fault->detail, format, args);
        va_end(args);
    }
    return status;
}
