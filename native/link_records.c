/* Record arrays that grow, and what adds to them. link_records.h has the contracts. */
#include "link_records.h"

#include <elf.h>
#include <stdlib.h>
#include <string.h>

#define MISUSE(graph, ...) lj_fail(&(graph)->fault, LJ_MISUSE, 0, 0, __VA_ARGS__)

typedef struct chunk {
    struct chunk *next;
    uint64_t size; /* keeps what follows 16-byte aligned */
} chunk;

void *lj_graph_take(lj_graph *graph, uint64_t size) {
    chunk *fresh = size > SIZE_MAX - sizeof *fresh ? NULL : malloc(sizeof *fresh + size);
    if (!fresh) {
        lj_fail(&graph->fault, LJ_NO_MEMORY, 0, 0, "%llu bytes for the link graph",
                (unsigned long long)size);
        return NULL;
    }
    fresh->next = graph->chunks;
    fresh->size = size;
    graph->chunks = fresh;
    return fresh + 1;
}

/* The old array stays among the chunks: a stale view of it reads old rows. */
static void *grow(lj_graph *graph, const void *old, uint32_t count, uint32_t *room, uint64_t more,
                  uint64_t size) {
    uint64_t wanted = (uint64_t)count + more;
    if (wanted <= *room)
        return (void *)(uintptr_t)old;
    uint64_t twice = UINT64_C(2) * count + 16;
    wanted = wanted > twice ? wanted : twice;
    if (wanted >= INT32_MAX) {
        lj_fail(&graph->fault, LJ_NO_MEMORY, 0, 0, "more records than 31 bits count");
        return NULL;
    }
    void *fresh = lj_graph_take(graph, wanted * size);
    if (!fresh)
        return NULL;
    if (count)
        memcpy(fresh, old, count * size);
    *room = (uint32_t)wanted;
    return fresh;
}

#define GROW(array, number)                                                                        \
    do {                                                                                           \
        if ((uint64_t)graph->array##_count + (number) > graph->array##_room) {                     \
            void *grown = grow(graph, graph->array##s, graph->array##_count, &graph->array##_room, \
                               number, sizeof *graph->array##s);                                   \
            if (!grown)                                                                            \
                return LJ_NO_MEMORY;                                                               \
            graph->array##s = grown;                                                               \
        }                                                                                          \
    } while (0)

lj_status lj_graph_reserve(lj_graph *graph, uint64_t sections, uint64_t blocks, uint64_t symbols,
                           uint64_t edges) {
    GROW(section, sections);
    GROW(block, blocks);
    GROW(symbol, symbols);
    GROW(edge, edges);
    return LJ_OK;
}

static lj_status add_name(lj_graph *graph, const char *name, uint64_t size, uint32_t *at) {
    if (size && memchr(name, 0, size))
        return MISUSE(graph, "a name with a zero byte");
    if (!size) {
        *at = graph->synthetic_names;
        return LJ_OK;
    }
    if (size >= UINT32_MAX || graph->strings_size + size + 1 > UINT32_MAX)
        return MISUSE(graph, "more than 4 GiB of names");
    if (graph->strings_size + size + 1 > graph->strings_room) {
        uint64_t room = 2 * (graph->strings_size + size + 1) + 256;
        char *fresh = lj_graph_take(graph, room);
        if (!fresh)
            return LJ_NO_MEMORY;
        memcpy(fresh, graph->strings, graph->strings_size);
        graph->strings = fresh;
        graph->strings_room = room;
    }
    *at = (uint32_t)graph->strings_size;
    memcpy(graph->strings + graph->strings_size, name, size);
    graph->strings[graph->strings_size + size] = 0;
    graph->strings_size += size + 1;
    return LJ_OK;
}

int32_t lj_region_of(uint32_t prot) {
    return prot & LJ_PROT_EXEC ? LJ_TEXT : prot & LJ_PROT_WRITE ? LJ_DATA : LJ_RODATA;
}

lj_link_section *lj_graph_own_section(lj_graph *graph, int name, int prot, int role) {
    lj_link_section *section = &graph->sections[graph->section_count++];
    *section = (lj_link_section){.flags = SHF_ALLOC | (prot & LJ_PROT_EXEC ? SHF_EXECINSTR : 0) |
                                          (prot & LJ_PROT_WRITE ? SHF_WRITE : 0),
                                 .name = graph->synthetic_names + (uint32_t)name,
                                 .type = SHT_PROGBITS,
                                 .region = lj_region_of((uint32_t)prot),
                                 .role = (uint16_t)role,
                                 .priority = 65535,
                                 .prot = (uint8_t)prot,
                                 .linked = 1,
                                 .first_block = LJ_NONE,
                                 .last_block = LJ_NONE};
    return section;
}

uint32_t lj_graph_append_block(lj_graph *graph, uint32_t number, const lj_link_block *block) {
    uint32_t fresh = graph->block_count++;
    lj_link_section *section = &graph->sections[number];
    graph->blocks[fresh] = *block;
    graph->blocks[fresh].section = number;
    graph->blocks[fresh].next = graph->blocks[fresh].first_symbol = LJ_NONE;
    if (section->first_block == LJ_NONE)
        section->first_block = (int32_t)fresh;
    else
        graph->blocks[section->last_block].next = (int32_t)fresh;
    section->last_block = (int32_t)fresh;
    section->block_count++;
    return fresh;
}

lj_status lj_graph_check_memory(lj_graph *graph, uint32_t prot, uint32_t lifetime) {
    if ((prot & LJ_PROT_WRITE) && (prot & LJ_PROT_EXEC))
        return MISUSE(graph, "a section that is writable and executable");
    if (prot > 7 || lifetime > LJ_LIFETIME_NO_ALLOC)
        return MISUSE(graph, "unknown protection %u or lifetime %u", prot, lifetime);
    return LJ_OK;
}

lj_status lj_graph_check_align(lj_graph *graph, uint64_t align, uint64_t align_offset) {
    if (!align || align & (align - 1) || align > LJ_MAX_ALIGN)
        return MISUSE(graph, "alignment %llu is not a power of two up to 2 MiB",
                      (unsigned long long)align);
    if (align_offset >= align)
        return MISUSE(graph, "alignment offset %llu, but alignment %llu",
                      (unsigned long long)align_offset, (unsigned long long)align);
    return LJ_OK;
}

lj_status lj_graph_add_section(lj_graph *graph, const char *name, uint64_t name_size, uint32_t prot,
                               uint32_t lifetime, uint32_t *number) {
    if (graph->laid_out)
        return MISUSE(graph, "the graph is laid out: no section can be added");
    uint32_t at;
    lj_status status = lj_graph_check_memory(graph, prot, lifetime);
    if (!status)
        status = add_name(graph, name, name_size, &at);
    if (!status)
        status = lj_graph_reserve(graph, 1, 0, 0, 0);
    if (status)
        return status;
    lj_link_section *section = lj_graph_own_section(graph, 0, (int)prot, LJ_ROLE_PLAIN);
    section->name = at;
    section->lifetime = (uint8_t)lifetime;
    if (lifetime == LJ_LIFETIME_NO_ALLOC) {
        section->region = LJ_REGION_NONE;
        section->flags &= ~(uint64_t)SHF_ALLOC;
    } else {
        const char *words = graph->strings + at;
        if (lj_section_is_thread_local(words))
            section->flags |= SHF_TLS;
        lj_section_give_role(section, words);
        const char *why = NULL;
        if (section->role == LJ_ROLE_TLS && prot & LJ_PROT_EXEC)
            why = "is thread-local and executable";
        else if (section->role != LJ_ROLE_PLAIN && lifetime != LJ_LIFETIME_STANDARD)
            why = "is needed as long as the code";
        if (why) {
            graph->section_count--;
            return MISUSE(graph, "section %s %s", words, why);
        }
        graph->initializers += (uint32_t)lj_section_has_pointers(section);
    }
    *number = graph->section_count - 1;
    return LJ_OK;
}

static int live_section(const lj_graph *graph, uint32_t number) {
    return number < graph->section_count && graph->sections[number].linked;
}

static int live_block(const lj_graph *graph, uint32_t number) {
    return number < graph->block_count && !(graph->blocks[number].state & LJ_BLOCK_GONE);
}

lj_status lj_graph_add_block(lj_graph *graph, uint32_t section, const uint8_t *content,
                             uint64_t size, uint64_t align, uint64_t align_offset,
                             uint32_t *number) {
    if (graph->laid_out)
        return MISUSE(graph, "the graph is laid out: no block can be added");
    if (!live_section(graph, section))
        return MISUSE(graph, "section %u doesn't exist", section);
    if (size > LJ_MAX_BLOCK)
        return MISUSE(graph, "a block of more than 4 GiB");
    lj_status status = lj_graph_check_align(graph, align, align_offset);
    if (status)
        return status;
    lj_link_block block = {.size = size,
                           .align = (uint32_t)align,
                           .align_offset = (uint32_t)align_offset,
                           .state = content ? LJ_BLOCK_OWNED : LJ_BLOCK_ZERO_FILL};
    if (lj_section_has_pointers(&graph->sections[section]))
        block.state |= LJ_BLOCK_ROOT;
    if (content) {
        uint8_t *copy = lj_graph_take(graph, size);
        if (!copy)
            return LJ_NO_MEMORY;
        memcpy(copy, content, size);
        block.content = (uint64_t)(uintptr_t)copy;
        block.input_size = (uint32_t)size;
    }
    status = lj_graph_reserve(graph, 0, 1, 0, 0);
    if (status)
        return status;
    *number = lj_graph_append_block(graph, section, &block);
    return LJ_OK;
}

uint32_t lj_graph_append_symbol(lj_graph *graph, const lj_link_symbol *symbol) {
    uint32_t number = graph->symbol_count++;
    lj_link_symbol *fresh = &graph->symbols[number];
    *fresh = *symbol;
    fresh->next = fresh->previous = LJ_NONE;
    if (fresh->place >= 0) {
        if (graph->allocated)
            fresh->address = graph->blocks[fresh->place].address + fresh->offset;
        if (graph->indexed)
            lj_graph_enlist_symbol(graph, number);
    }
    return number;
}

lj_status lj_graph_add_symbol(lj_graph *graph, const lj_link_symbol *symbol, const char *name,
                              uint64_t name_size, uint32_t *number) {
    if (graph->fixed)
        return MISUSE(graph, "edges are applied: no symbol can be added");
    if (symbol->place >= 0 && !live_block(graph, (uint32_t)symbol->place))
        return MISUSE(graph, "block %d doesn't exist", symbol->place);
    if (symbol->place >= 0 && (symbol->offset > graph->blocks[symbol->place].size ||
                               symbol->size > graph->blocks[symbol->place].size - symbol->offset))
        return MISUSE(graph, "a symbol at %llu, %llu bytes long, in a block of %llu bytes",
                      (unsigned long long)symbol->offset, (unsigned long long)symbol->size,
                      (unsigned long long)graph->blocks[symbol->place].size);
    if (symbol->place < LJ_PLACE_ABSOLUTE)
        return MISUSE(graph, "a symbol without a place");
    if (!name_size && (symbol->place == LJ_PLACE_EXTERNAL || symbol->scope != LJ_SCOPE_LOCAL))
        return MISUSE(graph, "a symbol that others see needs a name");
    lj_link_symbol copy = *symbol;
    copy.got = copy.plt = copy.tls_pair = copy.tls_desc = 0;
    if (copy.place >= 0 && graph->sections[graph->blocks[copy.place].section].role == LJ_ROLE_TLS)
        copy.traits |= LJ_TRAIT_TLS;
    lj_status status = add_name(graph, name, name_size, &copy.name);
    if (!status)
        status = lj_graph_reserve(graph, 0, 0, 1, 0);
    if (status)
        return status;
    *number = lj_graph_append_symbol(graph, &copy);
    graph->listed = 0;
    return LJ_OK;
}

lj_status lj_graph_rename(lj_graph *graph, uint32_t symbol, const char *name, uint64_t name_size) {
    if (symbol >= graph->symbol_count || graph->symbols[symbol].place == LJ_PLACE_GONE)
        return MISUSE(graph, "symbol %u doesn't exist", symbol);
    const lj_link_symbol *row = &graph->symbols[symbol];
    if (!name_size && (row->place == LJ_PLACE_EXTERNAL || row->scope != LJ_SCOPE_LOCAL))
        return MISUSE(graph, "a symbol that others see needs a name");
    uint32_t at;
    lj_status status = add_name(graph, name, name_size, &at);
    if (status)
        return status;
    graph->symbols[symbol].name = at;
    graph->listed = 0;
    return LJ_OK;
}

lj_status lj_graph_add_edge(lj_graph *graph, uint32_t number, const lj_link_edge *edge,
                            uint32_t *position) {
    if (graph->fixed)
        return MISUSE(graph, "edges are applied: none can be added");
    if (!live_block(graph, number))
        return MISUSE(graph, "block %u doesn't exist", number);
    if (edge->target >= graph->symbol_count || !edge->target ||
        graph->symbols[edge->target].place == LJ_PLACE_GONE)
        return MISUSE(graph, "symbol %u doesn't exist", edge->target);
    lj_link_block *block = &graph->blocks[number];
    const lj_kind *kind = lj_arch_kind(graph->arch, edge->kind);
    if (!kind->name)
        return MISUSE(graph, "relocation %u is unknown", edge->kind);
    if (edge->offset > block->size || kind->bytes > block->size - edge->offset)
        return MISUSE(graph, "%s at %u writes %u bytes, but the block has %llu", kind->name,
                      edge->offset, kind->bytes, (unsigned long long)block->size);
    if (kind->bytes && block->state & LJ_BLOCK_ZERO_FILL)
        return MISUSE(graph, "a zero-fill block has no bytes to change");
    const char *words = graph->laid_out ? lj_edge_without_slot(graph, edge) : NULL;
    if (words)
        return MISUSE(graph, "%s: %s", kind->name, words);
    if (block->edge_count == block->edge_room) {
        /* The run's end may be the array's: then it grows in place. */
        uint32_t room = block->edge_room ? 2 * block->edge_room : 2;
        int last = block->edge_room && block->first_edge + block->edge_room == graph->edge_count;
        uint32_t more = last ? room - block->edge_room : room;
        lj_status status = lj_graph_reserve(graph, 0, 0, 0, more);
        if (status)
            return status;
        if (!last) {
            if (block->edge_count)
                memcpy(graph->edges + graph->edge_count, graph->edges + block->first_edge,
                       block->edge_count * sizeof *graph->edges);
            block->first_edge = graph->edge_count;
        }
        graph->edge_count += more;
        /* Rows that nobody uses yet are no edges. */
        memset(graph->edges + block->first_edge + block->edge_count, 0,
               (room - block->edge_count) * sizeof *graph->edges);
        block->edge_room = room;
    }
    /* What others define is as thread-local as it is used. */
    if (lj_form_needs[kind->form] & LJ_THREAD_LOCAL &&
        graph->symbols[edge->target].place == LJ_PLACE_EXTERNAL)
        graph->symbols[edge->target].traits |= LJ_TRAIT_TLS;
    *position = block->edge_count++;
    lj_link_edge *fresh = &graph->edges[block->first_edge + *position];
    *fresh = *edge;
    fresh->gone = 0;
    if (!(graph->symbols[edge->target].traits & LJ_TRAIT_USED) &&
        graph->sections[block->section].region != LJ_REGION_NONE) {
        graph->symbols[edge->target].traits |= LJ_TRAIT_USED;
        if (graph->symbols[edge->target].place == LJ_PLACE_EXTERNAL)
            graph->listed = 0;
    }
    return LJ_OK;
}

lj_status lj_graph_keep_with(lj_graph *graph, uint32_t block, uint32_t kept) {
    lj_status status = lj_graph_reserve(graph, 0, 0, 1, 0);
    if (status)
        return status;
    uint32_t unused,
        symbol = lj_graph_append_symbol(graph, &(lj_link_symbol){.place = (int32_t)kept,
                                                                 .name = graph->synthetic_names,
                                                                 .scope = LJ_SCOPE_LOCAL});
    return lj_graph_add_edge(graph, block,
                             &(lj_link_edge){.kind = LJ_KIND_KeepAlive, .target = symbol}, &unused);
}

lj_status lj_graph_own_content(lj_graph *graph, uint32_t number) {
    if (!live_block(graph, number))
        return MISUSE(graph, "block %u doesn't exist", number);
    lj_link_block *block = &graph->blocks[number];
    if (block->state & LJ_BLOCK_OWNED)
        return LJ_OK;
    if (block->state & LJ_BLOCK_ZERO_FILL)
        return MISUSE(graph, "a zero-fill block has no content");
    uint8_t *copy = lj_graph_take(graph, block->size);
    if (!copy)
        return LJ_NO_MEMORY;
    if (block->input_size)
        memcpy(copy, (const void *)(uintptr_t)block->content, block->input_size);
    memset(copy + block->input_size, 0, block->size - block->input_size);
    block->content = (uint64_t)(uintptr_t)copy;
    block->input_size = (uint32_t)block->size;
    block->state |= LJ_BLOCK_OWNED;
    return LJ_OK;
}
