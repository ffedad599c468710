// The settlement program: one translation unit, one file for each instruction. The tag is the first byte of the data.
#include "input.h"

#include "processor/cancel_key.c"
#include "processor/commit_batch.c"
#include "processor/finalize_key.c"
#include "processor/init_key.c"
#include "processor/verify_groth16.c"
#include "processor/write_key.c"

u64 entrypoint(u8 *input) {
  instruction ix;
  TRY(read_input(input, &ix));
  REQUIRE(ix.data_size > 0, ERROR_MALFORMED_INSTRUCTION);
  switch (ix.data[0]) {
    case INIT_KEY_TAG: return process_init_key(&ix);
    case WRITE_KEY_TAG: return process_write_key(&ix);
    case FINALIZE_KEY_TAG: return process_finalize_key(&ix);
    case CANCEL_KEY_TAG: return process_cancel_key(&ix);
    case VERIFY_GROTH16_TAG: return process_verify_groth16(&ix);
    case COMMIT_BATCH_TAG: return process_commit_batch(&ix);
    default: return ERROR_MALFORMED_INSTRUCTION;
  }
}
