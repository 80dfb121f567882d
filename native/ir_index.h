/* The lexical index of a module's IR text: where each top-level entity stands, and who refers to
 * whom, found in one pass without parsing.
 *
 * An *entity* is a name of the @ namespace: a function, a variable, an alias, an ifunc, or a name
 * that is used but never defined. Entities are numbered in the order in which their names first
 * occur. Types, attribute groups, metadata nodes and comdats live in tables of their own, which
 * only carving (ir_unit.h) needs.
 *
 * The pass checks what it relies on: balanced brackets, terminated strings, names defined once,
 * and that each top-level entity starts like one. All else is LLVM's to judge, when a unit that
 * holds it is compiled: an error deep in one body costs that body alone.
 *
 * An index is immutable once made, so that all functions that take a const one may be called from
 * any thread. It does not own the text: its caller keeps that alive and in place.
 */
#ifndef LAZYJIT_IR_INDEX_H
#define LAZYJIT_IR_INDEX_H

#include "status.h"

/* cffi: begin */
enum {                    /* kinds of entities */
       LJ_IR_UNDEFINED,   /* used, never defined or declared: LLVM takes such intrinsics */
       LJ_IR_FUNCTION,    /* define */
       LJ_IR_DECLARATION, /* declare */
       LJ_IR_VARIABLE,    /* a global with an initializer */
       LJ_IR_EXTERNAL,    /* a global without */
       LJ_IR_ALIAS,
       LJ_IR_IFUNC
};

enum {
    LJ_IR_LINK_EXTERNAL,
    LJ_IR_LINK_AVAILABLE_EXTERNALLY,
    LJ_IR_LINK_LINKONCE,
    LJ_IR_LINK_LINKONCE_ODR,
    LJ_IR_LINK_WEAK,
    LJ_IR_LINK_WEAK_ODR,
    LJ_IR_LINK_APPENDING,
    LJ_IR_LINK_INTERNAL,
    LJ_IR_LINK_PRIVATE,
    LJ_IR_LINK_EXTERN_WEAK,
    LJ_IR_LINK_COMMON
};

enum { LJ_IR_DEFAULT, LJ_IR_HIDDEN, LJ_IR_PROTECTED }; /* visibility */

enum {                        /* flags */
       LJ_IR_NUMBERED = 1,    /* @7: `name` is the number */
       LJ_IR_ASIDE = 2,       /* the name had escapes: `name` is an offset into the side table */
       LJ_IR_LOCAL = 4,       /* internal, private or unnamed: promoted, as name$ordinal */
       LJ_IR_OVERRIDABLE = 8, /* another definition may replace it and mean something else */
       LJ_IR_WEAK = 16,       /* another definition may take its place in the symbol table */
       LJ_IR_CONSTANT = 32,
       LJ_IR_TLS = 64,
       LJ_IR_UNNAMED_ADDR = 128, /* its address means nothing to this module */
       LJ_IR_VARARG = 256,
       LJ_IR_NOINLINE = 512, /* its body must not be carried into other units */
       LJ_IR_ALWAYSINLINE = 1024,
       LJ_IR_COLD = 2048,          /* cold or noreturn */
       LJ_IR_BLOCKADDRESS = 4096,  /* takes the address of a block */
       LJ_IR_ADDRESS_TAKEN = 8192, /* used otherwise than as the callee of a call */
       LJ_IR_SPECIAL = 16384,      /* llvm.*, or never emitted: no symbol of the program */
       LJ_IR_COPYABLE = 32768,     /* a private constant that each unit may have for itself */
       LJ_IR_ALIASED = 65536,      /* an alias or ifunc names it */
       LJ_IR_DSO_LOCAL = 131072,
       LJ_IR_PLACED = 262144,   /* has a section, or is externally initialized: not to be copied */
       LJ_IR_CALLABLE = 524288, /* code: a function, or an alias or ifunc of a function's type */
       LJ_IR_PLAIN_ALIAS = 1048576, /* an alias of `aliasee` itself, not of an address near it */
       LJ_IR_NO_UNIT = 2097152      /* available_externally or special: no unit defines it */
};

typedef struct lj_ir_entity {
    uint32_t name, name_length; /* unescaped, a leading \01 included; offset in the text */
    uint32_t flags;
    uint32_t start, length; /* of the definition or declaration in the text; 0 when undefined */
    uint32_t type; /* where the parameter list (functions) or the value type (others) starts */
    uint32_t body; /* where the body's brace, the initializer or the aliasee starts; else the end */
    uint32_t tail; /* where what follows the parameters or the initializer starts */
    uint32_t refs, ref_count; /* its slice of the references, each target once */
    uint32_t uses;            /* how many entities and metadata nodes refer to it */
    int32_t aliasee;          /* of an alias or ifunc: the entity at the end of the chain, or -1 */
    int32_t comdat;           /* which comdat, or -1 */
    int32_t group;            /* who must be defined in one unit with it, or -1 */
    uint8_t kind, linkage, visibility, reserved;
} lj_ir_entity;

enum { LJ_IR_REF_CALL = 1, LJ_IR_REF_ADDRESS = 2, LJ_IR_REF_BLOCK = 4 }; /* how it is referred to */

typedef struct lj_ir_counts {
    uint32_t entities, functions, declarations, variables, externals, aliases, ifuncs;
    uint32_t types, attributes, metadata, named_metadata, comdats, references, groups;
    uint32_t module_asm; /* module asm statements */
    uint32_t commons;    /* variables of common linkage */
    uint64_t memory;     /* bytes held, the text not counted */
} lj_ir_counts;

enum { LJ_IR_FOUND_NONE, LJ_IR_FOUND_STUB, LJ_IR_FOUND_BODY, LJ_IR_FOUND_DATA };

enum {                      /* choices of entities */
       LJ_IR_ALL_DEFINED,   /* units define it, or it leads there (aliases, ifuncs) */
       LJ_IR_ALL_DEFINABLE, /* some unit has to define it: not what only leads to other code, nor
                               constants that each unit copies */
       LJ_IR_ALL_FUNCTIONS, /* code that units define */
       LJ_IR_ALL_COMMONS,   /* tentative definitions */
       LJ_IR_ALL_NEEDED     /* named here, defined elsewhere; LLVM's own are left out */
};

typedef struct lj_ir_index lj_ir_index;

/* Indexes text[0, length); text[length] must be NUL. `ordinal` is the module's, for the names of
 * its promoted locals. IR_SYNTAX, IR_DUPLICATE, IR_TOO_LARGE (4 GiB) with line and offset. */
lj_status lj_ir_index_new(const char *text, uint64_t length, uint32_t ordinal, lj_ir_index **out,
                          lj_fault *fault);
void lj_ir_index_dispose(lj_ir_index *index);
void lj_ir_index_counts(const lj_ir_index *index, lj_ir_counts *out);
const lj_ir_entity *lj_ir_index_entities(const lj_ir_index *index);
const int32_t *lj_ir_index_refs(const lj_ir_index *index);
const uint8_t *lj_ir_index_ref_flags(const lj_ir_index *index);
/* The entities of one choice, in order, as ids; `ids` has room for all entities. Returns how many.
 */
uint32_t lj_ir_index_choose(const lj_ir_index *index, int choice, int32_t *ids);
/* The members of group g are members[starts[g], starts[g + 1]). */
const uint32_t *lj_ir_index_group_starts(const lj_ir_index *index);
const int32_t *lj_ir_index_group_members(const lj_ir_index *index);
/* The 1-based line of an offset. Linear in the offset (some GB a second). */
uint32_t lj_ir_index_line(const lj_ir_index *index, uint64_t offset);

/* For `count` linker names, each ended by a NUL: which entity, and which of its symbols. Found are:
 * f (STUB) and f$body (BODY) of functions, STUB of aliases and ifuncs of functions, DATA of all
 * else that this module defines; promoted locals by their promoted names. `traits` are the symbols'
 * (see below); may be NULL. */
void lj_ir_index_find(const lj_ir_index *index, uint32_t count, const char *names, int32_t *ids,
                      uint8_t *what, uint8_t *traits);
/* The entity of an IR name (without @; a number for unnamed ones), defined here or not, or -1. */
int32_t lj_ir_index_find_ir(const lj_ir_index *index, const char *name, uint32_t length,
                            int numbered);
/* The name of an entity that has one, as IR knows it, unescaped. */
const char *lj_ir_index_name(const lj_ir_index *index, int32_t id, uint32_t *length);
/* The symbol's linker name. Returns its length; writes at most `room` bytes of it. */
uint32_t lj_ir_index_symbol(const lj_ir_index *index, int32_t id, int body, char *out,
                            uint32_t room);
/* What units define for `count` entities, bodies of functions and data: linker names, each ended by
 * a NUL, and traits (as lazyjit.symbols.SymbolFlags). Returns the bytes that the names need; when
 * that is more than `room`, they are incomplete. */
uint64_t lj_ir_index_definitions(const lj_ir_index *index, uint32_t count, const int32_t *ids,
                                 char *names, uint64_t room, uint8_t *traits);
/* Entities that this module and one of `others` both define strongly, under one name. Writes at
 * most `room` of this module's ids; returns how many there are. One that several others define is
 * there several times. */
uint32_t lj_ir_index_conflicts(const lj_ir_index *index, uint32_t count, lj_ir_index *const *others,
                               int32_t *ids, uint32_t room);
/* llvm.global_ctors (or, with `destructors`, llvm.global_dtors): priority, function and associated
 * data (-1: none) of each. Writes at most `room`; returns how many there are. */
uint32_t lj_ir_index_structors(const lj_ir_index *index, int destructors, int64_t *priorities,
                               int32_t *functions, int32_t *data, uint32_t room);
/* The statement of source_filename (0), target datalayout (1) or triple (2), or NULL. */
const char *lj_ir_index_setting(const lj_ir_index *index, uint32_t which, uint32_t *length);
/* Statement i of the module's inline assembly: the text in quotes, still escaped. */
const char *lj_ir_index_module_asm(const lj_ir_index *index, uint32_t i, uint32_t *length);
/* cffi: end */

#endif
