// The settlement program: one translation unit, one file for each instruction. The tag is the first byte of the data.
#include "input.h"

#include "processor/answer_leaf.c"
#include "processor/assign_request.c"
#include "processor/burn.c"
#include "processor/call_back.c"
#include "processor/cancel_upload.c"
#include "processor/challenge_leaf.c"
#include "processor/claim_leaf.c"
#include "processor/close_request.c"
#include "processor/collect_earnings.c"
#include "processor/collect_fees.c"
#include "processor/commit_batch.c"
#include "processor/demand_leaf.c"
#include "processor/demand_reveal.c"
#include "processor/deposit_stake.c"
#include "processor/execute.c"
#include "processor/finalize_key.c"
#include "processor/fulfil_request.c"
#include "processor/init_upload.c"
#include "processor/initialize.c"
#include "processor/open_request.c"
#include "processor/propose.c"
#include "processor/register_prover.c"
#include "processor/release_batch.c"
#include "processor/request_exit.c"
#include "processor/set_paused.c"
#include "processor/slash_missed.c"
#include "processor/update_prover.c"
#include "processor/verify_groth16.c"
#include "processor/verify_receipt.c"
#include "processor/void_leaf.c"
#include "processor/vote.c"
#include "processor/withdraw_stake.c"
#include "processor/write_upload.c"

u64 entrypoint(u8 *input) {
  instruction ix;
  TRY(read_input(input, &ix));
  REQUIRE(ix.data_size > 0, ERROR_MALFORMED_INSTRUCTION);
  switch (ix.data[0]) {
    case INIT_UPLOAD_TAG: return process_init_upload(&ix);
    case WRITE_UPLOAD_TAG: return process_write_upload(&ix);
    case FINALIZE_KEY_TAG: return process_finalize_key(&ix);
    case CANCEL_UPLOAD_TAG: return process_cancel_upload(&ix);
    case VERIFY_GROTH16_TAG: return process_verify_groth16(&ix);
    case COMMIT_BATCH_TAG: return process_commit_batch(&ix);
    case INITIALIZE_TAG: return process_initialize(&ix);
    case PROPOSE_TAG: return process_propose(&ix);
    case VOTE_TAG: return process_vote(&ix);
    case EXECUTE_TAG: return process_execute(&ix);
    case SET_PAUSED_TAG: return process_set_paused(&ix);
    case COLLECT_FEES_TAG: return process_collect_fees(&ix);
    case BURN_TAG: return process_burn(&ix);
    case REGISTER_PROVER_TAG: return process_register_prover(&ix);
    case UPDATE_PROVER_TAG: return process_update_prover(&ix);
    case DEPOSIT_STAKE_TAG: return process_deposit_stake(&ix);
    case REQUEST_EXIT_TAG: return process_request_exit(&ix);
    case WITHDRAW_STAKE_TAG: return process_withdraw_stake(&ix);
    case COLLECT_EARNINGS_TAG: return process_collect_earnings(&ix);
    case OPEN_REQUEST_TAG: return process_open_request(&ix);
    case CLOSE_REQUEST_TAG: return process_close_request(&ix);
    case ASSIGN_REQUEST_TAG: return process_assign_request(&ix);
    case FULFIL_REQUEST_TAG: return process_fulfil_request(&ix);
    case CALL_BACK_TAG: return process_call_back(&ix);
    case SLASH_MISSED_TAG: return process_slash_missed(&ix);
    case DEMAND_REVEAL_TAG: return process_demand_reveal(&ix);
    case CHALLENGE_LEAF_TAG: return process_challenge_leaf(&ix);
    case DEMAND_LEAF_TAG: return process_demand_leaf(&ix);
    case ANSWER_LEAF_TAG: return process_answer_leaf(&ix);
    case VOID_LEAF_TAG: return process_void_leaf(&ix);
    case CLAIM_LEAF_TAG: return process_claim_leaf(&ix);
    case RELEASE_BATCH_TAG: return process_release_batch(&ix);
    case VERIFY_RECEIPT_TAG: return process_verify_receipt(&ix);
    default: return ERROR_MALFORMED_INSTRUCTION;
  }
}
