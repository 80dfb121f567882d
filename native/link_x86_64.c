/* Fix-up for x86-64: the formulas of link_x86_64.h, and the instructions that get better when their
 * target is in reach.
 *
 * Compilers mark a load from the GOT that a linker may shorten (GOTPCRELX); the psABI lists the
 * changes. Each keeps the instruction's length:
 *   48 8b 05 rel32   mov x@GOTPCREL(%rip), %rax   ->   48 8d 05 rel32   lea x(%rip), %rax
 *   ff 15 rel32      call *x@GOTPCREL(%rip)       ->   67 e8 rel32      addr32 call x
 *   ff 25 rel32      jmp *x@GOTPCREL(%rip)        ->   e9 rel32 90      jmp x; nop
 */
#include "link_x86_64.h"
#include "tls.h"

#include <string.h>

#define LJ_KIND(number, name, bytes, range, form)                                                  \
    [number] = {"R_X86_64_" #name, bytes, LJ_RANGE_##range, LJ_FORM_##form},
const lj_kind lj_x86_64_kinds[LJ_X86_64_KIND_COUNT] = {LJ_X86_64_KINDS(LJ_KIND)};
#undef LJ_KIND

const char *lj_relocation_name(uint32_t kind) {
    return kind < LJ_X86_64_KIND_COUNT ? lj_x86_64_kinds[kind].name : NULL;
}

void lj_x86_64_write_plt(uint8_t *bytes, uint32_t entries) {
    static const uint8_t entry[LJ_PLT_ENTRY_SIZE] = {
        0xff, 0x25, 0, 0, 0, 0, /* jmp *word(%rip) */
        0xcc, 0xcc,             /* int3; int3 */
    };
    for (uint32_t i = 0; i < entries; i++)
        memcpy(bytes + (uint64_t)i * LJ_PLT_ENTRY_SIZE, entry, sizeof entry);
}

static int fits(uint64_t value, int range) {
    int64_t number = (int64_t)value;
    switch (range) {
    case LJ_RANGE_S32:
        return number == (int32_t)number;
    case LJ_RANGE_U32:
        return value == (uint32_t)value;
    case LJ_RANGE_S16:
        return number == (int16_t)number;
    case LJ_RANGE_I16:
        return number >= INT16_MIN && number <= UINT16_MAX;
    case LJ_RANGE_S8:
        return number == (int8_t)number;
    case LJ_RANGE_I8:
        return number >= INT8_MIN && number <= UINT8_MAX;
    }
    return 1;
}

/* Whether the instruction around a GOTPCRELX edge was rewritten to use the symbol itself; if so,
 * `value` goes to `*offset`, which may have moved. */
static int relax(const lj_link_edge *edge, const lj_link_block *block, uint8_t *content,
                 uint64_t symbol, uint64_t *value, uint32_t *offset) {
    uint32_t at = edge->offset;
    uint64_t direct = symbol + (uint64_t)edge->addend - (block->address + at);
    /* Another addend means that the instruction goes on after the displacement. */
    if (edge->addend != -4 || at < 2 || !fits(direct, LJ_RANGE_S32))
        return 0;
    uint8_t opcode = content[at - 2], modrm = content[at - 1];
    if (opcode == 0x8b && (modrm & 0xc7) == 0x05) {
        content[at - 2] = 0x8d; /* lea */
    } else if (edge->kind == LJ_X86_64_GOTPCRELX && opcode == 0xff && modrm == 0x15) {
        content[at - 2] = 0x67; /* addr32: a prefix without effect */
        content[at - 1] = 0xe8; /* call rel32 */
    } else if (edge->kind == LJ_X86_64_GOTPCRELX && opcode == 0xff && modrm == 0x25 &&
               fits(direct + 1, LJ_RANGE_S32)) {
        content[at - 2] = 0xe9; /* jmp rel32 */
        content[at + 3] = 0x90; /* nop */
        *offset = at - 1;
        direct += 1; /* the displacement now ends one byte earlier */
    } else {
        return 0;
    }
    *value = direct;
    return 1;
}

/* The module and offset of a thread-local variable, JIT'd or of a host library. */
static int thread_local_pair(const lj_graph *graph, const lj_link_symbol *symbol,
                             lj_tls_index *pair) {
    if ((symbol->address & LJ_TLS_TAG_MASK) == LJ_TLS_TAG) {
        pair->module = LJ_TLS_TAG;
        pair->offset = symbol->address & ~LJ_TLS_TAG_MASK;
        return 1;
    }
    return symbol->place == LJ_PLACE_EXTERNAL && symbol->address &&
           lj_tls_host_variable(graph->strings + symbol->name, &pair->module, &pair->offset);
}

static void write_descriptor(const lj_tls_index *pair, uint8_t *words, uint64_t address) {
    int own = pair->module == LJ_TLS_TAG;
    uint64_t values[4] = {
        (uint64_t)(uintptr_t)(own ? lj_tlsdesc_own : lj_tlsdesc_host),
        own ? pair->offset : address + 16,
        pair->module,
        pair->offset,
    };
    memcpy(words, values, sizeof values);
}

static const char not_thread_local[] = "no thread-local variable of JIT'd code or of a library";

static lj_status fix_edge(lj_graph *graph, const lj_link_block *block, const lj_link_edge *edge,
                          uint64_t got, uint64_t plt) {
    const lj_kind *kind = &lj_x86_64_kinds[edge->kind];
    const lj_link_symbol *symbol = &graph->symbols[edge->target];
    uint8_t *content = (uint8_t *)(uintptr_t)block->content;
    uint32_t offset = edge->offset;
    uint64_t S = symbol->address, A = (uint64_t)edge->addend, P = block->address + offset;
    uint64_t G = UINT64_C(8) * (symbol->got - 1); /* meant only where the form has planned it */
    uint64_t value = 0;
    lj_tls_index pair = {LJ_TLS_TAG, 0};

    switch (kind->form) {
    case LJ_FORM_NOTHING:
        return LJ_OK;
    case LJ_FORM_ABS:
        value = S + A;
        break;
    case LJ_FORM_PC:
        value = S + A - P;
        break;
    case LJ_FORM_BRANCH:
        value = S + A - P;
        if (!fits(value, LJ_RANGE_S32) && symbol->plt)
            value = plt + (uint64_t)LJ_PLT_ENTRY_SIZE * (symbol->plt - 1) + A - P;
        break;
    case LJ_FORM_GOTPC:
        value = got + A - P;
        break;
    case LJ_FORM_GOTREX:
        if (relax(edge, block, content, S, &value, &offset))
            break;
        /* fall through */
    case LJ_FORM_GOTREL:
        value = G + got + A - P;
        break;
    case LJ_FORM_GOTENT:
        value = G + A;
        break;
    case LJ_FORM_GOTOFF:
    case LJ_FORM_PLTOFF:
        value = S + A - got;
        break;
    case LJ_FORM_SIZE:
        value = symbol->size + A;
        break;
    case LJ_FORM_TLSGD:
        value = got + UINT64_C(8) * (symbol->tls_pair - 1) + A - P;
        break;
    case LJ_FORM_TLSLD:
        value = got + UINT64_C(8) * (graph->tls_module_pair - 1) + A - P;
        break;
    case LJ_FORM_DESC:
        value = got + UINT64_C(8) * (symbol->tls_desc - 1) + A - P;
        break;
    case LJ_FORM_DTPMOD:
    case LJ_FORM_DTPOFF:
    case LJ_FORM_DESCWORD:
        /* Target 0 is the object's own module. */
        if (edge->target && !thread_local_pair(graph, symbol, &pair))
            return lj_bad_relocation(graph, LJ_OBJ_RELOCATION, block->section, edge, (int64_t)S,
                                     not_thread_local);
        if (kind->form == LJ_FORM_DESCWORD) {
            write_descriptor(&pair, content + offset, P);
            return LJ_OK;
        }
        if (kind->form == LJ_FORM_DTPOFF && block->section != graph->got_section &&
            pair.module != LJ_TLS_TAG)
            return lj_bad_relocation(graph, LJ_OBJ_RELOCATION, block->section, edge, (int64_t)S,
                                     "local-dynamic access to a library's variable");
        value = kind->form == LJ_FORM_DTPMOD ? pair.module : pair.offset + A;
        break;
    default:
        return lj_bad_relocation(graph, LJ_OBJ_RELOCATION, block->section, edge, 0,
                                 "can't be applied");
    }
    if (!fits(value, kind->range))
        return lj_bad_relocation(graph, LJ_LINK_OVERFLOW, block->section, edge, (int64_t)value, "");
    memcpy(content + offset, &value, kind->bytes); /* little-endian, as the target */
    return LJ_OK;
}

lj_status lj_x86_64_fix_up(lj_graph *graph, const lj_link_block *block) {
    uint64_t got = graph->got_block == UINT32_MAX ? 0 : graph->blocks[graph->got_block].address;
    uint64_t plt = graph->plt_block == UINT32_MAX ? 0 : graph->blocks[graph->plt_block].address;
    const lj_link_edge *edges = graph->edges + block->first_edge;
    for (uint32_t i = 0; i < block->edge_count; i++) {
        lj_status status = fix_edge(graph, block, &edges[i], got, plt);
        if (status)
            return status;
    }
    return LJ_OK;
}
