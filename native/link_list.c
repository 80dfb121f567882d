/* The names that a graph needs from elsewhere, and those that it gives: what its user asks for.
 *
 * Some undefined names stand for something of the object itself, and are bound when slots are
 * planned:
 *   _GLOBAL_OFFSET_TABLE_   the assembler's name for the GOT's start
 *   _TLS_MODULE_BASE_       start of the thread's block: local-dynamic code with descriptors adds
 *                           offsets to it
 *   __start_x, __stop_x     the bounds of section x, when its name can be part of an identifier:
 *                           programs collect tables so. Only a section that the object has once
 */
#include "link_records.h"
#include "tls.h"

#include <string.h>

/* lazyjit.symbols.SymbolFlags */
enum { EXPORTED = 1, WEAK = 2, COMMON = 4, CALLABLE = 8, ABSOLUTE = 16, EFFECTS = 32 };

static uint8_t flags_of(const lj_link_symbol *symbol) {
    return (uint8_t)((symbol->scope == LJ_SCOPE_DEFAULT        ? EXPORTED
                      : symbol->scope == LJ_SCOPE_SIDE_EFFECTS ? EXPORTED | EFFECTS
                                                               : 0) |
                     (symbol->traits & LJ_TRAIT_COMMON     ? COMMON | WEAK
                      : symbol->linkage == LJ_LINKAGE_WEAK ? WEAK
                                                           : 0) |
                     (symbol->traits & LJ_TRAIT_CALLABLE ? CALLABLE : 0) |
                     (symbol->place == LJ_PLACE_ABSOLUTE ? ABSOLUTE : 0));
}

static int is_bound_of(const lj_graph *graph, const char *name, int32_t *place, uint64_t *offset) {
    int stop = strncmp(name, "__stop_", 7) == 0;
    if (!stop && strncmp(name, "__start_", 8) != 0)
        return 0;
    const lj_link_section *found = NULL;
    for (uint32_t i = 0; i < graph->section_count; i++) {
        const lj_link_section *section = &graph->sections[i];
        if (section->region == LJ_REGION_NONE || !section->block_count ||
            strcmp(graph->strings + section->name, name + (stop ? 7 : 8)) != 0)
            continue;
        if (found)
            return 0;
        found = section;
    }
    if (!found || found->role == LJ_ROLE_TLS)
        return 0;
    *place = stop ? found->last_block : found->first_block;
    *offset = stop ? graph->blocks[found->last_block].size : 0;
    return 1;
}

int lj_graph_own_name(const lj_graph *graph, const lj_link_symbol *symbol, int32_t *place,
                      uint64_t *offset) {
    const char *name = graph->strings + symbol->name;
    if (*name != '_')
        return 0;
    *offset = 0;
    if (strcmp(name, "_GLOBAL_OFFSET_TABLE_") == 0) {
        if (graph->planned && graph->got_block == UINT32_MAX)
            return 0;
        *place = (int32_t)graph->got_block;
        return 1;
    }
    if (symbol->traits & LJ_TRAIT_TLS && strcmp(name, "_TLS_MODULE_BASE_") == 0) {
        *place = LJ_PLACE_ABSOLUTE;
        *offset = LJ_TLS_TAG;
        return 1;
    }
    return is_bound_of(graph, name, place, offset);
}

/* Once planned, names of the object's own are bound; before, only passed over. */
static int is_own(lj_graph *graph, lj_link_symbol *symbol) {
    int32_t place;
    uint64_t offset;
    if (!lj_graph_own_name(graph, symbol, &place, &offset))
        return 0;
    if (!graph->planned) {
        graph->own_names++;
    } else {
        symbol->place = place;
        symbol->offset = offset;
        symbol->size = 0; /* whatever the object said of it */
        symbol->address = place == LJ_PLACE_ABSOLUTE ? offset : 0;
        symbol->scope = LJ_SCOPE_LOCAL;
        if (place >= 0 && graph->allocated)
            symbol->address = graph->blocks[place].address + offset;
        graph->indexed = 0;
    }
    return 1;
}

static lj_status take_lists(lj_graph *graph) {
    graph->external_count = graph->defined_count = graph->own_names = 0;
    if (graph->symbol_count <= graph->list_room)
        return LJ_OK;
    uint64_t room = graph->symbol_count + graph->symbol_count / 2;
    uint8_t *memory = lj_graph_take(graph, room * (8 + 4 + 4 + 1 + 1));
    if (!memory)
        return LJ_NO_MEMORY;
    graph->defined_address = (uint64_t *)(void *)memory;
    graph->externals = (uint32_t *)(void *)(memory + 8 * room);
    graph->defined = graph->externals + room;
    graph->external_weak = (uint8_t *)(graph->defined + room);
    graph->defined_flags = graph->external_weak + room;
    graph->list_room = (uint32_t)room;
    return LJ_OK;
}

static int is_defined(const lj_graph *graph, const lj_link_symbol *symbol) {
    if (symbol->place == LJ_PLACE_ABSOLUTE)
        return 1;
    return symbol->place >= 0 &&
           graph->sections[graph->blocks[symbol->place].section].region != LJ_REGION_NONE;
}

static char *append_name(const lj_graph *graph, uint32_t symbol, char *at) {
    const char *name = graph->strings + graph->symbols[symbol].name;
    size_t size = strlen(name) + 1;
    memcpy(at, name, size);
    return at + size;
}

uint32_t lj_graph_find_symbol(const lj_graph *graph, const char *name) {
    uint32_t local = UINT32_MAX;
    for (uint32_t i = 1; i < graph->symbol_count; i++) {
        const lj_link_symbol *symbol = &graph->symbols[i];
        if (symbol->place < LJ_PLACE_ABSOLUTE || strcmp(graph->strings + symbol->name, name) != 0)
            continue;
        if (symbol->scope != LJ_SCOPE_LOCAL || symbol->place == LJ_PLACE_EXTERNAL)
            return i;
        local = local == UINT32_MAX ? i : local;
    }
    return local;
}

uint32_t lj_graph_find_section(const lj_graph *graph, const char *name) {
    for (uint32_t i = 0; i < graph->section_count; i++)
        if (graph->sections[i].linked &&
            strcmp(graph->strings + graph->sections[i].name, name) == 0)
            return i;
    return UINT32_MAX;
}

int lj_graph_has_kinds(const lj_graph *graph, uint32_t first, uint32_t last) {
    for (uint32_t i = 0; i < graph->edge_count; i++)
        if (graph->edges[i].kind - first <= last - first)
            return 1;
    return 0;
}

/* Lists are asked for between the stations that verify, also of records that Python has written
 * to: so whatever is followed below is checked here. */
static lj_status check_followed(lj_graph *graph) {
    for (uint32_t i = 0; i < graph->section_count; i++)
        if (graph->sections[i].name >= graph->strings_size)
            return lj_fail(&graph->fault, LJ_MISUSE, 0, 0,
                           "section %u has a name outside of the names", i);
    for (uint32_t i = 1; i < graph->symbol_count; i++) {
        const lj_link_symbol *symbol = &graph->symbols[i];
        if (symbol->name >= graph->strings_size)
            return lj_fail(&graph->fault, LJ_MISUSE, 0, i,
                           "symbol %u has a name outside of the names", i);
        if (symbol->place >= 0 && ((uint32_t)symbol->place >= graph->block_count ||
                                   graph->blocks[symbol->place].section >= graph->section_count))
            return lj_fail(&graph->fault, LJ_MISUSE, 0, i, "symbol %u (%s) is in no block", i,
                           graph->strings + symbol->name);
    }
    return LJ_OK;
}

lj_status lj_graph_list(lj_graph *graph) {
    if (graph->listed)
        return LJ_OK;
    lj_status status = graph->touched ? check_followed(graph) : LJ_OK;
    if (!status)
        status = take_lists(graph);
    if (status)
        return status;
    uint64_t bytes = 0;
    for (uint32_t i = 1; i < graph->symbol_count; i++) {
        lj_link_symbol *symbol = &graph->symbols[i];
        const char *name = graph->strings + symbol->name;
        if (symbol->place == LJ_PLACE_EXTERNAL) {
            if (!(symbol->traits & (LJ_TRAIT_USED | LJ_TRAIT_LIVE)) || is_own(graph, symbol))
                continue;
            graph->external_weak[graph->external_count] = symbol->linkage == LJ_LINKAGE_WEAK;
            graph->externals[graph->external_count++] = i;
        } else if (symbol->scope != LJ_SCOPE_LOCAL && *name && is_defined(graph, symbol)) {
            graph->defined_flags[graph->defined_count] = flags_of(symbol);
            graph->defined_address[graph->defined_count] = symbol->address;
            graph->defined[graph->defined_count++] = i;
        } else {
            continue;
        }
        bytes += strlen(name) + 1;
        /* Names may share their endings, but not so that they dwarf the file. */
        if (graph->input_size && bytes > 16 * graph->input_size + graph->strings_size)
            return lj_fail(&graph->fault, LJ_OBJ_MALFORMED, 0, 0,
                           "symbols share one long name many times over");
    }
    char *at = graph->names = lj_graph_take(graph, bytes + 1);
    if (!at)
        return LJ_NO_MEMORY;
    graph->names_size = bytes;
    graph->named = graph->external_count;
    for (uint32_t i = 0; i < graph->external_count; i++)
        at = append_name(graph, graph->externals[i], at);
    for (uint32_t i = 0; i < graph->defined_count; i++)
        at = append_name(graph, graph->defined[i], at);
    graph->listed = 1;
    graph->listings++;
    return LJ_OK;
}
