;; What stands between Python and a circuit that circom compiled: the functions that the circuit imports, and
;; loops that move elements in bulk. Python instantiates it before the circuit and then puts the circuit's own
;; functions into the table. Memory: 1 MiB of log, then a buffer of 1 MiB (2^15 elements of 8 words).
(module
  (type $get (func (result i32)))
  (type $read (func (param i32) (result i32)))
  (type $write (func (param i32 i32)))
  (type $set (func (param i32 i32 i32)))
  (type $select (func (param i32)))

  ;; 0 getMessageChar, 1 readSharedRWMemory, 2 writeSharedRWMemory, 3 setInputSignal, 4 getWitness
  (table (export "circuit") 5 funcref)
  (memory (export "memory") 32)
  (global $used (export "used") (mut i32) (i32.const 0))  ;; bytes of log
  (global $code (export "code") (mut i32) (i32.const 0))  ;; of the exception, 0 if there was none

  ;; The log: records of a byte of kind, then text up to a zero (1: error, 2: log) or 32 bytes (3: a value).
  ;; What does not fit is dropped.
  (func $log (param $byte i32)
    (if (i32.lt_u (global.get $used) (i32.const 0x100000))
      (then
        (i32.store8 (global.get $used) (local.get $byte))
        (global.set $used (i32.add (global.get $used) (i32.const 1))))))

  (func $message (local $char i32)
    (loop $next
      (local.set $char (call_indirect (type $get) (i32.const 0)))
      (call $log (local.get $char))
      (br_if $next (local.get $char))))

  ;; The eight words of the circuit's shared memory, to $at.
  (func $load_words (param $at i32) (local $word i32)
    (loop $next
      (i32.store
        (i32.add (local.get $at) (i32.shl (local.get $word) (i32.const 2)))
        (call_indirect (type $read) (local.get $word) (i32.const 1)))
      (local.set $word (i32.add (local.get $word) (i32.const 1)))
      (br_if $next (i32.lt_u (local.get $word) (i32.const 8)))))

  ;; The imports of the circuit.
  (func (export "exceptionHandler") (param $code i32)
    (global.set $code (local.get $code))
    unreachable)
  (func (export "printErrorMessage") (call $log (i32.const 1)) (call $message))
  (func (export "writeBufferMessage") (call $log (i32.const 2)) (call $message))
  (func (export "showSharedRWMemory")
    (if (i32.le_u (global.get $used) (i32.const 0xfffdf))  ;; 33 bytes before the end
      (then
        (call $log (i32.const 3))
        (call $load_words (global.get $used))
        (global.set $used (i32.add (global.get $used) (i32.const 32))))))

  ;; Set elements $first .. $first + $count of the input whose name hashes to ($msb, $lsb), from the buffer.
  (func (export "set") (param $msb i32) (param $lsb i32) (param $first i32) (param $count i32)
    (local $at i32) (local $word i32)
    (local.set $at (i32.const 0x100000))
    (block $done
      (loop $next
        (br_if $done (i32.eqz (local.get $count)))
        (local.set $word (i32.const 0))
        (loop $words
          (call_indirect (type $write)
            (local.get $word)
            (i32.load (i32.add (local.get $at) (i32.shl (local.get $word) (i32.const 2))))
            (i32.const 2))
          (local.set $word (i32.add (local.get $word) (i32.const 1)))
          (br_if $words (i32.lt_u (local.get $word) (i32.const 8))))
        (call_indirect (type $set) (local.get $msb) (local.get $lsb) (local.get $first) (i32.const 3))
        (local.set $first (i32.add (local.get $first) (i32.const 1)))
        (local.set $count (i32.sub (local.get $count) (i32.const 1)))
        (local.set $at (i32.add (local.get $at) (i32.const 32)))
        (br $next))))

  ;; Put the wires $first .. $first + $count of the witness into the buffer.
  (func (export "get") (param $first i32) (param $count i32) (local $at i32)
    (local.set $at (i32.const 0x100000))
    (block $done
      (loop $next
        (br_if $done (i32.eqz (local.get $count)))
        (call_indirect (type $select) (local.get $first) (i32.const 4))
        (call $load_words (local.get $at))
        (local.set $first (i32.add (local.get $first) (i32.const 1)))
        (local.set $count (i32.sub (local.get $count) (i32.const 1)))
        (local.set $at (i32.add (local.get $at) (i32.const 32)))
        (br $next)))))
