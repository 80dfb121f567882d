/* Relocations of AArch64: each kind, what it computes, and which bits of which instruction it
 * fills.
 *
 * Forms are link_arch.h's. On this architecture nearly every kind belongs to one instruction, of
 * which it fills a field; the field's row below says how wide it is, what the value is divided by,
 * and which values fit:
 *
 *   S26   a signed number of this many bits, before the division: else LINK_OVERFLOW
 *   U16   an unsigned one
 *   I32   from -2^31 to 2^32 - 1: data that is read either way
 *   CUT   everything, upper bits are dropped: another instruction has them
 *
 * A value that the division would truncate is LINK_MISALIGNED. An instruction that has no such
 * field is OBJ_RELOCATION: the bits of another would be spoilt. LOADER is what
 * static linkers write for dynamic loaders, and refused.
 */
#ifndef LAZYJIT_LINK_AARCH64_H
#define LAZYJIT_LINK_AARCH64_H

#include "link_arch.h"

/* X(range, instruction, lowest bit, width, divided by 2^, kind of check, bits of the check) */
#define LJ_AARCH64_FIELDS(X)                                                                       \
    X(I32, DATA, 0, 32, 0, EITHER, 32)                                                             \
    X(BRANCH26, BRANCH, 0, 26, 2, SIGNED, 28)                                                      \
    X(BRANCH19, BRANCH_IF, 5, 19, 2, SIGNED, 21)                                                   \
    X(BRANCH14, BRANCH_BIT, 5, 14, 2, SIGNED, 16)                                                  \
    X(LOAD19, LOAD_LITERAL, 5, 19, 2, SIGNED, 21)                                                  \
    X(ADR21, ADR, 0, 21, 0, SIGNED, 21)                                                            \
    X(PAGE21, ADRP, 0, 21, 12, SIGNED, 33)                                                         \
    X(PAGE21_NC, ADRP, 0, 21, 12, CUT, 33)                                                         \
    X(ADD12, ADD, 10, 12, 0, CUT, 12)                                                              \
    X(ADD12_U, ADD, 10, 12, 0, UNSIGNED, 12)                                                       \
    X(ADD24_U, ADD_HIGH, 10, 12, 12, UNSIGNED, 24)                                                 \
    X(LDST8_U, LDST8, 10, 12, 0, UNSIGNED, 12)                                                     \
    X(LDST16_U, LDST16, 10, 11, 1, UNSIGNED, 12)                                                   \
    X(LDST32_U, LDST32, 10, 10, 2, UNSIGNED, 12)                                                   \
    X(LDST64_U, LDST64, 10, 9, 3, UNSIGNED, 12)                                                    \
    X(LDST128_U, LDST128, 10, 8, 4, UNSIGNED, 12)                                                  \
    X(LDST8, LDST8, 10, 12, 0, CUT, 12)                                                            \
    X(LDST16, LDST16, 10, 11, 1, CUT, 12)                                                          \
    X(LDST32, LDST32, 10, 10, 2, CUT, 12)                                                          \
    X(LDST64, LDST64, 10, 9, 3, CUT, 12)                                                           \
    X(LDST128, LDST128, 10, 8, 4, CUT, 12)                                                         \
    X(LDST64_15, LDST64, 10, 12, 3, UNSIGNED, 15)                                                  \
    X(MOVW_U0, MOVW0, 5, 16, 0, UNSIGNED, 16)                                                      \
    X(MOVW_0, MOVW0, 5, 16, 0, CUT, 16)                                                            \
    X(MOVW_U1, MOVW1, 5, 16, 16, UNSIGNED, 32)                                                     \
    X(MOVW_1, MOVW1, 5, 16, 16, CUT, 32)                                                           \
    X(MOVW_U2, MOVW2, 5, 16, 32, UNSIGNED, 48)                                                     \
    X(MOVW_2, MOVW2, 5, 16, 32, CUT, 48)                                                           \
    X(MOVW_3, MOVW3, 5, 16, 48, CUT, 64)                                                           \
    X(MOVW_S0, MOVW0, 5, 16, 0, SIGNED, 17)                                                        \
    X(MOVW_S1, MOVW1, 5, 16, 16, SIGNED, 33)                                                       \
    X(MOVW_S2, MOVW2, 5, 16, 32, SIGNED, 49)                                                       \
    X(MOVW_S3, MOVW3, 5, 16, 48, SIGNED, 64)

enum lj_aarch64_range {
    LJ_AARCH64_BEFORE = LJ_RANGE_FIELD - 1,
#define LJ_FIELD(range, instruction, low, width, shift, check, bits) LJ_AARCH64_##range,
    LJ_AARCH64_FIELDS(LJ_FIELD)
#undef LJ_FIELD
};

/* X(number, name, bytes written, range, form): plain ranges are link_arch.h's, fields the above. */
#define LJ_AARCH64_KINDS(PLAIN, FIELD)                                                             \
    PLAIN(0, NONE, 0, ANY, NOTHING)                                                                \
    PLAIN(256, NULL, 0, ANY, NOTHING)                                                              \
    PLAIN(257, ABS64, 8, ANY, ABS)                                                                 \
    FIELD(258, ABS32, 4, I32, ABS)                                                                 \
    PLAIN(259, ABS16, 2, I16, ABS)                                                                 \
    PLAIN(260, PREL64, 8, ANY, PC)                                                                 \
    FIELD(261, PREL32, 4, I32, PC)                                                                 \
    PLAIN(262, PREL16, 2, I16, PC)                                                                 \
    FIELD(263, MOVW_UABS_G0, 4, MOVW_U0, ABS)                                                      \
    FIELD(264, MOVW_UABS_G0_NC, 4, MOVW_0, ABS)                                                    \
    FIELD(265, MOVW_UABS_G1, 4, MOVW_U1, ABS)                                                      \
    FIELD(266, MOVW_UABS_G1_NC, 4, MOVW_1, ABS)                                                    \
    FIELD(267, MOVW_UABS_G2, 4, MOVW_U2, ABS)                                                      \
    FIELD(268, MOVW_UABS_G2_NC, 4, MOVW_2, ABS)                                                    \
    FIELD(269, MOVW_UABS_G3, 4, MOVW_3, ABS)                                                       \
    FIELD(270, MOVW_SABS_G0, 4, MOVW_S0, ABS)                                                      \
    FIELD(271, MOVW_SABS_G1, 4, MOVW_S1, ABS)                                                      \
    FIELD(272, MOVW_SABS_G2, 4, MOVW_S2, ABS)                                                      \
    FIELD(273, LD_PREL_LO19, 4, LOAD19, PC)                                                        \
    FIELD(274, ADR_PREL_LO21, 4, ADR21, PC)                                                        \
    FIELD(275, ADR_PREL_PG_HI21, 4, PAGE21, PAGE)                                                  \
    FIELD(276, ADR_PREL_PG_HI21_NC, 4, PAGE21_NC, PAGE)                                            \
    FIELD(277, ADD_ABS_LO12_NC, 4, ADD12, ABS)                                                     \
    FIELD(278, LDST8_ABS_LO12_NC, 4, LDST8, ABS)                                                   \
    FIELD(279, TSTBR14, 4, BRANCH14, PC)                                                           \
    FIELD(280, CONDBR19, 4, BRANCH19, PC)                                                          \
    FIELD(282, JUMP26, 4, BRANCH26, BRANCH)                                                        \
    FIELD(283, CALL26, 4, BRANCH26, BRANCH)                                                        \
    FIELD(284, LDST16_ABS_LO12_NC, 4, LDST16, ABS)                                                 \
    FIELD(285, LDST32_ABS_LO12_NC, 4, LDST32, ABS)                                                 \
    FIELD(286, LDST64_ABS_LO12_NC, 4, LDST64, ABS)                                                 \
    FIELD(287, MOVW_PREL_G0, 4, MOVW_S0, PC)                                                       \
    FIELD(288, MOVW_PREL_G0_NC, 4, MOVW_0, PC)                                                     \
    FIELD(289, MOVW_PREL_G1, 4, MOVW_S1, PC)                                                       \
    FIELD(290, MOVW_PREL_G1_NC, 4, MOVW_1, PC)                                                     \
    FIELD(291, MOVW_PREL_G2, 4, MOVW_S2, PC)                                                       \
    FIELD(292, MOVW_PREL_G2_NC, 4, MOVW_2, PC)                                                     \
    FIELD(293, MOVW_PREL_G3, 4, MOVW_S3, PC)                                                       \
    FIELD(299, LDST128_ABS_LO12_NC, 4, LDST128, ABS)                                               \
    PLAIN(307, GOTREL64, 8, ANY, GOTOFF)                                                           \
    PLAIN(308, GOTREL32, 4, S32, GOTOFF)                                                           \
    FIELD(309, GOT_LD_PREL19, 4, LOAD19, GOTREL)                                                   \
    FIELD(310, LD64_GOTOFF_LO15, 4, LDST64_15, GOTENT)                                             \
    FIELD(311, ADR_GOT_PAGE, 4, PAGE21, GOTPAGE)                                                   \
    FIELD(312, LD64_GOT_LO12_NC, 4, LDST64, GOTABS)                                                \
    FIELD(313, LD64_GOTPAGE_LO15, 4, LDST64_15, GOTINPAGE)                                         \
    PLAIN(314, PLT32, 4, S32, BRANCH)                                                              \
    PLAIN(315, GOTPCREL32, 4, S32, GOTREL)                                                         \
    FIELD(512, TLSGD_ADR_PREL21, 4, ADR21, TLSGD)                                                  \
    FIELD(513, TLSGD_ADR_PAGE21, 4, PAGE21, TLSGDPAGE)                                             \
    FIELD(514, TLSGD_ADD_LO12_NC, 4, ADD12, TLSGDABS)                                              \
    FIELD(541, TLSIE_ADR_GOTTPREL_PAGE21, 4, PAGE21, TPPAGE)                                       \
    FIELD(542, TLSIE_LD64_GOTTPREL_LO12_NC, 4, LDST64, TPABS)                                      \
    FIELD(543, TLSIE_LD_GOTTPREL_PREL19, 4, LOAD19, TPREL)                                         \
    FIELD(544, TLSLE_MOVW_TPREL_G2, 4, MOVW_S2, TPOFF)                                             \
    FIELD(545, TLSLE_MOVW_TPREL_G1, 4, MOVW_S1, TPOFF)                                             \
    FIELD(546, TLSLE_MOVW_TPREL_G1_NC, 4, MOVW_1, TPOFF)                                           \
    FIELD(547, TLSLE_MOVW_TPREL_G0, 4, MOVW_S0, TPOFF)                                             \
    FIELD(548, TLSLE_MOVW_TPREL_G0_NC, 4, MOVW_0, TPOFF)                                           \
    FIELD(549, TLSLE_ADD_TPREL_HI12, 4, ADD24_U, TPOFF)                                            \
    FIELD(550, TLSLE_ADD_TPREL_LO12, 4, ADD12_U, TPOFF)                                            \
    FIELD(551, TLSLE_ADD_TPREL_LO12_NC, 4, ADD12, TPOFF)                                           \
    FIELD(552, TLSLE_LDST8_TPREL_LO12, 4, LDST8_U, TPOFF)                                          \
    FIELD(553, TLSLE_LDST8_TPREL_LO12_NC, 4, LDST8, TPOFF)                                         \
    FIELD(554, TLSLE_LDST16_TPREL_LO12, 4, LDST16_U, TPOFF)                                        \
    FIELD(555, TLSLE_LDST16_TPREL_LO12_NC, 4, LDST16, TPOFF)                                       \
    FIELD(556, TLSLE_LDST32_TPREL_LO12, 4, LDST32_U, TPOFF)                                        \
    FIELD(557, TLSLE_LDST32_TPREL_LO12_NC, 4, LDST32, TPOFF)                                       \
    FIELD(558, TLSLE_LDST64_TPREL_LO12, 4, LDST64_U, TPOFF)                                        \
    FIELD(559, TLSLE_LDST64_TPREL_LO12_NC, 4, LDST64, TPOFF)                                       \
    FIELD(560, TLSDESC_LD_PREL19, 4, LOAD19, DESC)                                                 \
    FIELD(561, TLSDESC_ADR_PREL21, 4, ADR21, DESC)                                                 \
    FIELD(562, TLSDESC_ADR_PAGE21, 4, PAGE21, DESCPAGE)                                            \
    FIELD(563, TLSDESC_LD64_LO12, 4, LDST64, DESCABS)                                              \
    FIELD(564, TLSDESC_ADD_LO12, 4, ADD12, DESCABS)                                                \
    PLAIN(567, TLSDESC_LDR, 4, ANY, NOTHING)                                                       \
    PLAIN(568, TLSDESC_ADD, 4, ANY, NOTHING)                                                       \
    PLAIN(569, TLSDESC_CALL, 4, ANY, NOTHING)                                                      \
    FIELD(570, TLSLE_LDST128_TPREL_LO12, 4, LDST128_U, TPOFF)                                      \
    FIELD(571, TLSLE_LDST128_TPREL_LO12_NC, 4, LDST128, TPOFF)                                     \
    PLAIN(1024, COPY, 0, ANY, LOADER)                                                              \
    PLAIN(1025, GLOB_DAT, 8, ANY, LOADER)                                                          \
    PLAIN(1026, JUMP_SLOT, 8, ANY, LOADER)                                                         \
    PLAIN(1027, RELATIVE, 8, ANY, LOADER)                                                          \
    PLAIN(1028, TLS_DTPMOD, 8, ANY, DTPMOD)                                                        \
    PLAIN(1029, TLS_DTPREL, 8, ANY, DTPOFF)                                                        \
    PLAIN(1030, TLS_TPREL, 8, ANY, TPOFF)                                                          \
    PLAIN(1031, TLSDESC, 32, ANY, DESCWORD)                                                        \
    PLAIN(1032, IRELATIVE, 8, ANY, LOADER)

enum {
#define LJ_KIND(number, name, bytes, range, form) LJ_AARCH64_R_##name = number,
    LJ_AARCH64_KINDS(LJ_KIND, LJ_KIND)
#undef LJ_KIND
        LJ_AARCH64_KIND_COUNT
};

#endif
