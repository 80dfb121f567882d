/* AArch64 for the linker: fields of instructions, and PLT entries.
 *
 * Every instruction has 4 bytes, and no room for an address: one takes two instructions (adrp for
 * the page, relative to this one, and 12 bits of an add or a load) or four (movz and movk, 16 bits
 * each). link_aarch64.h says which kind fills which field; here is where the fields are.
 *
 * What is linked for this architecture isn't run in this process, which is one of another: it is
 * linked to be checked, or to be sent elsewhere.
 */
#include "link_aarch64.h"
#include "link_graph.h"
#include "tls.h"

#include <elf.h>
#include <string.h>

#define LJ_PLAIN(number, name, bytes, range, form)                                                 \
    [number] = {"R_AARCH64_" #name, bytes, LJ_RANGE_##range, LJ_FORM_##form},
#define LJ_FIELD(number, name, bytes, range, form)                                                 \
    [number] = {"R_AARCH64_" #name, bytes, LJ_AARCH64_##range, LJ_FORM_##form},
static const lj_kind kinds[LJ_AARCH64_KIND_COUNT] = {LJ_AARCH64_KINDS(LJ_PLAIN, LJ_FIELD)};
#undef LJ_PLAIN
#undef LJ_FIELD

/* Instructions that have a field: their fixed bits, of two encodings when there are two. */
typedef struct encoding {
    uint32_t mask, bits, mask2, bits2;
} encoding;

enum {
    DATA,         /* no instruction */
    BRANCH,       /* b, bl */
    BRANCH_IF,    /* b.cond; cbz, cbnz */
    BRANCH_BIT,   /* tbz, tbnz */
    LOAD_LITERAL, /* ldr, ldrsw, prfm: of a general or a vector register */
    ADR,
    ADRP,
    ADD,      /* add, adds with an immediate that isn't shifted */
    ADD_HIGH, /* ... shifted by 12 */
    LDST8,    /* a load or store with an unsigned offset in units of its size */
    LDST16,   /* ... a vector register's has the same size bits as a general one's */
    LDST32,
    LDST64,
    LDST128,
    MOVW0, /* movn, movz, movk of bits 0 to 15 */
    MOVW1,
    MOVW2,
    MOVW3
};

static const encoding encodings[] = {
    [DATA] = {0, 0, 0, 0},
    [BRANCH] = {0x7c000000, 0x14000000, 0x7c000000, 0x14000000},
    [BRANCH_IF] = {0xff000000, 0x54000000, 0x7e000000, 0x34000000},
    [BRANCH_BIT] = {0x7e000000, 0x36000000, 0x7e000000, 0x36000000},
    [LOAD_LITERAL] = {0x3b000000, 0x18000000, 0x3b000000, 0x18000000},
    [ADR] = {0x9f000000, 0x10000000, 0x9f000000, 0x10000000},
    [ADRP] = {0x9f000000, 0x90000000, 0x9f000000, 0x90000000},
    [ADD] = {0x5fc00000, 0x11000000, 0x5fc00000, 0x11000000},
    [ADD_HIGH] = {0x5fc00000, 0x11400000, 0x5fc00000, 0x11400000},
    [LDST8] = {0xff000000, 0x39000000, 0xff800000, 0x3d000000},
    [LDST16] = {0xfb000000, 0x79000000, 0xfb000000, 0x79000000},
    [LDST32] = {0xfb000000, 0xb9000000, 0xfb000000, 0xb9000000},
    [LDST64] = {0xfb000000, 0xf9000000, 0xfb000000, 0xf9000000},
    [LDST128] = {0xff800000, 0x3d800000, 0xff800000, 0x3d800000},
    [MOVW0] = {0x1fe00000, 0x12800000, 0x1fe00000, 0x12800000},
    [MOVW1] = {0x1fe00000, 0x12a00000, 0x1fe00000, 0x12a00000},
    [MOVW2] = {0x1fe00000, 0x12c00000, 0x1fe00000, 0x12c00000},
    [MOVW3] = {0x1fe00000, 0x12e00000, 0x1fe00000, 0x12e00000},
};

enum { SIGNED, UNSIGNED, EITHER, CUT };

typedef struct field {
    uint8_t instruction, low, width, shift, check, bits;
} field;

static const field fields[] = {
#define LJ_FIELD(range, instruction, low, width, shift, check, bits)                               \
    [LJ_AARCH64_##range - LJ_RANGE_FIELD] = {instruction, low, width, shift, check, bits},
    LJ_AARCH64_FIELDS(LJ_FIELD)
#undef LJ_FIELD
};

static int fits(const lj_kind *kind, uint64_t value) {
    const field *into = &fields[kind->range - LJ_RANGE_FIELD];
    int64_t upper =
        into->bits > 63 ? 0 : (int64_t)value >> (into->bits - 1); /* the sign's copies */
    switch (into->check) {
    case SIGNED:
        return upper == 0 || upper == -1 || into->bits > 63;
    case UNSIGNED:
        return value >> into->bits == 0;
    case EITHER:
        return upper == 0 || upper == -1 || value >> into->bits == 0;
    }
    return 1;
}

/* The immediate of adr and adrp: bits 0 and 1 stand at bit 29, the others at bit 5. */
static uint32_t split(uint32_t number) {
    return (number & 3) << 29 | (number >> 2) << 5;
}

/* A signed constant in pieces starts with movz, or with movn and all bits inverted. */
static uint32_t choose_move(uint32_t word, uint64_t *value) {
    word &= ~(UINT32_C(3) << 29);
    if ((int64_t)*value >= 0)
        return word | UINT32_C(2) << 29; /* movz */
    *value = ~*value;
    return word; /* movn */
}

static lj_status write(const lj_kind *kind, uint8_t *place, uint64_t value) {
    const field *into = &fields[kind->range - LJ_RANGE_FIELD];
    const encoding *code = &encodings[into->instruction];
    uint32_t word;
    memcpy(&word, place, sizeof word);
    if ((word & code->mask) != code->bits && (word & code->mask2) != code->bits2)
        return LJ_OBJ_RELOCATION;
    if (!fits(kind, value))
        return LJ_LINK_OVERFLOW;
    int is_move = into->instruction >= MOVW0;
    /* The lower bits of a constant belong to other instructions, and a page has none. */
    if (!is_move && into->instruction != ADRP && into->instruction != ADD_HIGH &&
        value & ((UINT64_C(1) << into->shift) - 1))
        return LJ_LINK_MISALIGNED;
    if (is_move && into->check == SIGNED)
        word = choose_move(word, &value);
    uint32_t mask = (uint32_t)((UINT64_C(1) << into->width) - 1), upper = mask;
    if (into->check == CUT && into->bits < 64)
        value &= (UINT64_C(1) << into->bits) - 1;
    uint32_t number = (uint32_t)(value >> into->shift) & mask;
    if (into->instruction == ADR || into->instruction == ADRP) {
        number = split(number);
        mask = split(upper);
    } else {
        number <<= into->low;
        /* A load's whole field is rewritten, its unused upper bits too. */
        if (into->low == 10)
            mask = 0xfff;
        mask <<= into->low;
    }
    word = (word & ~mask) | number;
    memcpy(place, &word, sizeof word);
    return LJ_OK;
}

static int64_t addend(const lj_kind *kind, const uint8_t *place) {
    int64_t wide = 0;
    int32_t word = 0;
    int16_t half = 0;
    switch (kind->bytes) {
    case 8:
        memcpy(&wide, place, sizeof wide);
        return wide;
    case 4:
        memcpy(&word, place, sizeof word);
        break;
    case 2:
        memcpy(&half, place, sizeof half);
        return half;
    }
    if (kind->range < LJ_RANGE_FIELD)
        return word;
    const field *into = &fields[kind->range - LJ_RANGE_FIELD];
    if (into->instruction == DATA)
        return word;
    uint64_t bits = (uint32_t)word;
    int adr = into->instruction == ADR || into->instruction == ADRP;
    uint64_t number = adr ? (bits >> 29 & 3) | (bits >> 5 & 0x7ffff) << 2 : bits >> into->low;
    int unused = 64 - into->width;
    /* Constants in pieces hold the whole addend in each, not shifted; so do pages. */
    int shift = into->instruction >= MOVW0 || into->instruction == ADRP ? 0 : into->shift;
    if (into->check == SIGNED || into->instruction >= MOVW0 || adr)
        return ((int64_t)(number << unused) >> unused) * (INT64_C(1) << shift);
    return (int64_t)((number << unused >> unused) << shift);
}

enum { PLT_ENTRY_SIZE = 12 };

static void write_plt(uint8_t *bytes, uint32_t entries) {
    static const uint32_t entry[PLT_ENTRY_SIZE / 4] = {
        0x90000010, /* adrp x16, word */
        0xf9400210, /* ldr x16, [x16, :lo12:word] */
        0xd61f0200, /* br x16 */
    };
    for (uint32_t i = 0; i < entries; i++)
        memcpy(bytes + (uint64_t)i * PLT_ENTRY_SIZE, entry, sizeof entry);
}

static void plan_plt(lj_link_edge *edges, uint32_t offset, uint32_t symbol) {
    edges[0] =
        (lj_link_edge){.offset = offset, .target = symbol, .kind = LJ_AARCH64_R_ADR_GOT_PAGE};
    edges[1] = (lj_link_edge){
        .offset = offset + 4, .target = symbol, .kind = LJ_AARCH64_R_LD64_GOT_LO12_NC};
}

/* There is no resolver of this architecture in this process: the first word stays 0. */
static void write_descriptor(const lj_tls_index *pair, uint8_t *words, uint64_t address) {
    (void)address;
    uint64_t values[4] = {0, pair->offset, pair->module, pair->offset};
    memcpy(words, values, sizeof values);
}

const lj_arch lj_arch_aarch64 = {
    .name = "aarch64",
    .prefix = "R_AARCH64_",
    .machine = EM_AARCH64,
    .kinds = kinds,
    .kind_count = LJ_AARCH64_KIND_COUNT,
    .pointer = LJ_AARCH64_R_ABS64,
    .dtpmod = LJ_AARCH64_R_TLS_DTPMOD,
    .dtpoff = LJ_AARCH64_R_TLS_DTPREL,
    .tlsdesc = LJ_AARCH64_R_TLSDESC,
    .tpoff = LJ_AARCH64_R_TLS_TPREL,
    .tls_above = 16, /* two words are the C library's own */
    .addend = addend,
    .fits = fits,
    .write = write,
    .plt_entry_size = PLT_ENTRY_SIZE,
    .plt_edges = 2,
    .write_plt = write_plt,
    .plan_plt = plan_plt,
    .write_descriptor = write_descriptor,
};
