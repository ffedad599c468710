// write_key: writes one chunk of a key's encoding into its upload; writing again overwrites.
//
//   accounts  [signer] authority
//             [writable] upload
//   data      write_key_arguments, then the chunk
#include "../syscalls.h"
#include "../upload.h"

static u64 process_write_key(const instruction *ix) {
  const write_key_arguments *arguments = (const write_key_arguments *)ix->data;
  TRY(require_shape(ix, WRITE_KEY));
  account *upload = ix->accounts[WRITE_KEY_UPLOAD];
  TRY(require_authority(upload, ix->accounts[WRITE_KEY_AUTHORITY]));

  u64 room = ((const upload_account *)upload->data)->encoding_size;
  u64 offset = arguments->offset, size = ix->data_size - sizeof *arguments;
  REQUIRE(offset <= room && size <= room - offset, ERROR_CHUNK_OUT_OF_BOUNDS);

  sol_memcpy_(upload->data + sizeof(upload_account) + offset, ix->data + sizeof *arguments, size);
  return 0;
}
