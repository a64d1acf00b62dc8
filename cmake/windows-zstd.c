// In the place of zstd_fast.c, zstd_lazy.c and zstd_opt.c, in the client for Windows: the ways to search that no level of ours uses. Level 3
// is ZSTD_dfast for every size of what is packed (clevels.h); nobody sets another, nor a strategy, nor a dictionary. Whatever comes here
// all the same is a mistake of ours, and ends at once. What is unpacked knows nothing of levels.
#include <stdlib.h>

#include "compress/zstd_compress_internal.h"
#include "compress/zstd_fast.h"
#include "compress/zstd_lazy.h"
#include "compress/zstd_opt.h"

#define NEVER(way)                                                                                               \
    size_t ZSTD_compressBlock_##way(ZSTD_matchState_t* state, seqStore_t* found, U32 offsets[ZSTD_REP_NUM],      \
                                    const void* bytes, size_t size) {                                            \
        (void)state, (void)found, (void)offsets, (void)bytes, (void)size;                                        \
        abort();                                                                                                 \
    }
#define NEVER_IN_ANY_TABLE(way) NEVER(way) NEVER(way##_extDict) NEVER(way##_dictMatchState)
#define NEVER_BY_ROWS(way) \
    NEVER_IN_ANY_TABLE(way) NEVER(way##_row) NEVER(way##_extDict_row) NEVER(way##_dictMatchState_row) NEVER(way##_dedicatedDictSearch) NEVER(way##_dedicatedDictSearch_row)

NEVER_IN_ANY_TABLE(fast)
NEVER_BY_ROWS(greedy)
NEVER_BY_ROWS(lazy)
NEVER_BY_ROWS(lazy2)
NEVER_IN_ANY_TABLE(btlazy2)
NEVER_IN_ANY_TABLE(btopt)
NEVER_IN_ANY_TABLE(btultra)
NEVER(btultra2)

// Of a dictionary.
void ZSTD_fillHashTable(ZSTD_matchState_t* state, const void* end, ZSTD_dictTableLoadMethod_e how, ZSTD_tableFillPurpose_e why) {
    (void)state, (void)end, (void)how, (void)why;
    abort();
}
U32 ZSTD_insertAndFindFirstIndex(ZSTD_matchState_t* state, const BYTE* at) {
    (void)state, (void)at;
    abort();
}
void ZSTD_row_update(ZSTD_matchState_t* state, const BYTE* at) {
    (void)state, (void)at;
    abort();
}
void ZSTD_dedicatedDictSearch_lazy_loadDictionary(ZSTD_matchState_t* state, const BYTE* at) {
    (void)state, (void)at;
    abort();
}
void ZSTD_updateTree(ZSTD_matchState_t* state, const BYTE* at, const BYTE* end) {
    (void)state, (void)at, (void)end;
    abort();
}
