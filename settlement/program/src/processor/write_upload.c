// write_upload: writes one chunk into an upload; writing again overwrites.
//
//   accounts  [signer] authority
//             [writable] upload
//   data      write_upload_arguments, then the chunk
#include "../syscalls.h"
#include "../upload.h"

static u64 process_write_upload(const instruction *ix) {
  const write_upload_arguments *arguments = (const write_upload_arguments *)ix->data;
  TRY(require_shape(ix, WRITE_UPLOAD));
  account *upload = ix->accounts[WRITE_UPLOAD_UPLOAD];
  TRY(require_authority(upload, ix->accounts[WRITE_UPLOAD_AUTHORITY]));

  u64 room = ((const upload_account *)upload->data)->size;
  u64 offset = arguments->offset, size = ix->data_size - sizeof *arguments;
  REQUIRE(offset <= room && size <= room - offset, ERROR_CHUNK_OUT_OF_BOUNDS);

  sol_memcpy_(upload->data + sizeof(upload_account) + offset, ix->data + sizeof *arguments, size);
  return 0;
}
