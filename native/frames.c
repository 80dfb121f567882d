/* Checking and registering of call frame information. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "frames.h"

#include <dlfcn.h>
#include <pthread.h>
#include <string.h>

/* Pointer encodings of DWARF: a format in the low half, what it is relative to in the high one. */
enum {
    ENC_ABSPTR = 0x00,
    ENC_UDATA2 = 0x02,
    ENC_UDATA4 = 0x03,
    ENC_UDATA8 = 0x04,
    ENC_SDATA2 = 0x0a,
    ENC_SDATA4 = 0x0b,
    ENC_SDATA8 = 0x0c,
    ENC_FORMAT = 0x0f,
    ENC_PCREL = 0x10,
    ENC_BASE = 0x70,
    ENC_INDIRECT = 0x80,
    ENC_OMIT = 0xff
};

typedef struct reader {
    const uint8_t *bytes;
    uint64_t at, end;
    int bad;
} reader;

static uint64_t fixed(reader *in, uint32_t size) {
    uint64_t value = 0;
    if (in->bad || size > in->end - in->at) {
        in->bad = 1;
        return 0;
    }
    memcpy(&value, in->bytes + in->at, size);
    in->at += size;
    return value;
}

static uint64_t leb128(reader *in) {
    uint64_t value = 0, byte;
    uint32_t shift = 0;
    do {
        byte = fixed(in, 1);
        if (shift < 64)
            value |= (byte & 0x7f) << shift;
        shift += 7;
    } while (byte & 0x80 && !in->bad);
    return value;
}

static uint32_t format_size(uint32_t encoding) {
    switch (encoding & ENC_FORMAT) {
    case ENC_ABSPTR:
    case ENC_UDATA8:
    case ENC_SDATA8:
        return 8;
    case ENC_UDATA4:
    case ENC_SDATA4:
        return 4;
    case ENC_UDATA2:
    case ENC_SDATA2:
        return 2;
    }
    return 0;
}

static int64_t extend(uint64_t value, uint32_t encoding) {
    switch (encoding & ENC_FORMAT) {
    case ENC_SDATA4:
        return (int32_t)value;
    case ENC_SDATA2:
        return (int16_t)value;
    }
    return (int64_t)value;
}

/* A CIE's body, from its version on; the encoding of its FDEs' addresses. NULL: it is fine. */
static const char *check_cie(reader in, uint32_t *encoding) {
    *encoding = ENC_ABSPTR;
    uint64_t version = fixed(&in, 1);
    if (version != 1 && version != 3)
        return "a CIE of unknown version";
    const char *augmentation = (const char *)in.bytes + in.at;
    uint64_t length = strnlen(augmentation, in.end - in.at);
    if (length == in.end - in.at || length > 8)
        return "a CIE with a bad augmentation string";
    in.at += length + 1;
    leb128(&in); /* code alignment */
    leb128(&in); /* data alignment */
    if (version == 1)
        fixed(&in, 1); /* return address register */
    else
        leb128(&in);
    if (length && augmentation[0] != 'z')
        return "a CIE with an unknown augmentation";
    if (length) {
        uint64_t size = leb128(&in);
        if (in.bad || size > in.end - in.at)
            return "a CIE that ends inside its augmentation";
        in.end = in.at + size;
    }
    for (uint64_t i = 1; i < length; i++) {
        uint32_t personality;
        switch (augmentation[i]) {
        case 'R':
            *encoding = (uint32_t)fixed(&in, 1);
            break;
        case 'L':
            fixed(&in, 1);
            break;
        case 'P':
            personality = (uint32_t)fixed(&in, 1);
            if (personality != ENC_OMIT && !format_size(personality))
                return "a CIE with an unknown encoding of its personality";
            if (personality != ENC_OMIT)
                fixed(&in, format_size(personality));
            break;
        case 'S':
        case 'B':
        case 'G':
            break;
        default:
            return "a CIE with an unknown augmentation";
        }
    }
    if (in.bad)
        return "a CIE that ends too early";
    if (!format_size(*encoding) || (*encoding & ENC_INDIRECT) ||
        ((*encoding & ENC_BASE) != ENC_PCREL && (*encoding & ENC_BASE) != 0))
        return "a CIE with an unknown encoding of addresses";
    return NULL;
}

static const char *check_fde(reader in, uint32_t encoding, uint64_t target, uint64_t low,
                             uint64_t high) {
    uint64_t place = target + in.at;
    uint32_t size = format_size(encoding);
    uint64_t raw = fixed(&in, size);
    uint64_t length = fixed(&in, size);
    if (in.bad)
        return "an FDE that ends too early";
    if (raw == 0)
        return NULL; /* of a discarded function: unwinders pass over it */
    uint64_t begin = (uint64_t)extend(raw, encoding);
    if ((encoding & ENC_BASE) == ENC_PCREL)
        begin += place;
    if (begin < low || begin > high || length > high - begin)
        return "an FDE that describes code of another object";
    return NULL;
}

lj_status lj_frames_check(const uint8_t *working, uint64_t size, uint64_t target, uint64_t low,
                          uint64_t high, lj_fault *fault) {
    uint64_t at = 0, known_cie = UINT64_MAX;
    uint32_t encoding = 0;
    const char *words = NULL;
    while (!words) {
        reader in = {working, at, size, 0};
        uint64_t length = fixed(&in, 4);
        if (!in.bad && length == 0)
            return LJ_OK;
        if (in.bad || length > size - in.at || length < 4) {
            words = "a record that lies outside of the section";
            break;
        }
        uint64_t next = in.end = in.at + length;
        uint64_t id_at = in.at, id = fixed(&in, 4);
        if (id == 0) {
            known_cie = at;
            words = check_cie(in, &encoding);
        } else if (id > id_at) {
            words = "an FDE whose CIE lies outside of the section";
        } else {
            uint64_t cie_at = id_at - id;
            if (cie_at != known_cie) {
                reader cie = {working, cie_at, size, 0};
                uint64_t cie_length = fixed(&cie, 4);
                if (cie.bad || cie_length > size - cie.at || fixed(&cie, 4) != 0 || cie.bad ||
                    cie_length < 4)
                    words = "an FDE without a CIE";
                else
                    cie.end = cie_at + 4 + cie_length;
                words = words ? words : check_cie(cie, &encoding);
                known_cie = cie_at;
            }
            words = words ? words : check_fde(in, encoding, target, low, high);
        }
        if (!words)
            at = next;
    }
    return lj_fail(fault, LJ_OBJ_MALFORMED, at, 0, ".eh_frame+0x%llx: %s", (unsigned long long)at,
                   words);
}

typedef void (*frame_function)(void *);
static frame_function add_section, drop_section;
static pthread_once_t found = PTHREAD_ONCE_INIT;

static void find_unwinder(void) {
    void *handle = RTLD_DEFAULT;
    if (!dlsym(handle, "__register_frame"))
        handle = dlopen("libgcc_s.so.1", RTLD_NOW | RTLD_LOCAL);
    if (!handle && !dlsym(RTLD_DEFAULT, "__register_frame"))
        return;
    void *add = dlsym(handle, "__register_frame");
    void *drop = dlsym(handle, "__deregister_frame");
    /* libunwind's pair for sections, if __register_frame is libunwind's too. */
    void *add_whole = dlsym(handle, "__unw_add_dynamic_eh_frame_section");
    void *drop_whole = dlsym(handle, "__unw_remove_dynamic_eh_frame_section");
    Dl_info one, other;
    if (add && add_whole && drop_whole && dladdr(add, &one) && dladdr(add_whole, &other) &&
        one.dli_fbase == other.dli_fbase) {
        add = add_whole;
        drop = drop_whole;
    }
    if (add && drop) {
        memcpy(&add_section, &add, sizeof add);
        memcpy(&drop_section, &drop, sizeof drop);
    }
}

lj_status lj_frames_register(uint64_t target) {
    pthread_once(&found, find_unwinder);
    if (!add_section)
        return LJ_SYSTEM;
    add_section((void *)(uintptr_t)target);
    return LJ_OK;
}

void lj_frames_deregister(uint64_t target) {
    if (drop_section)
        drop_section((void *)(uintptr_t)target);
}
