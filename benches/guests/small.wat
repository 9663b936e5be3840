;; About the smallest component that does what a tool does: one core module, one
;; page of memory, and two interfaces of WASI that need no memory of it.
(component
  (import "wasi:io/poll@0.2.0" (instance $poll
    (export "pollable" (type $pollable (sub resource)))
    (export "[method]pollable.block" (func (param "self" (borrow $pollable))))))
  (alias export $poll "pollable" (type $pollable))
  (import "wasi:clocks/monotonic-clock@0.2.0" (instance $clock
    (alias outer 1 $pollable (type $outer))
    (export "pollable" (type $inner (eq $outer)))
    (export "subscribe-duration" (func (param "when" u64) (result (own $inner))))))

  (core func $subscribe (canon lower (func $clock "subscribe-duration")))
  (core func $block (canon lower (func $poll "[method]pollable.block")))
  (core func $drop (canon resource.drop $pollable))
  (core instance $host
    (export "subscribe" (func $subscribe))
    (export "block" (func $block))
    (export "drop" (func $drop)))

  (core module $module
    (import "host" "subscribe" (func $subscribe (param i64) (result i32)))
    (import "host" "block" (func $block (param i32)))
    (import "host" "drop" (func $drop (param i32)))
    (memory (export "memory") 1)
    ;; Where the next allocation begins; the result of `echo` stands before it.
    (global $next (mut i32) (i32.const 16))

    ;; Nothing is ever freed: an instance lives for one call.
    (func (export "realloc") (param $old i32) (param $had i32) (param $align i32) (param $size i32) (result i32)
      (local $at i32)
      (local.set $at (global.get $next))
      (global.set $next (i32.add (local.get $at) (i32.and (i32.add (local.get $size) (i32.const 7)) (i32.const -8))))
      (local.get $at))

    (func (export "echo") (param $text i32) (param $length i32) (result i32)
      (i32.store (i32.const 0) (local.get $text))
      (i32.store (i32.const 4) (local.get $length))
      (i32.const 0))

    (func (export "sleep") (param $millis i64)
      (local $wait i32)
      (i64.store (i32.const 8) (local.get $millis))
      (local.set $wait (call $subscribe (i64.mul (local.get $millis) (i64.const 1000000))))
      (call $block (local.get $wait))
      (call $drop (local.get $wait))))

  (core instance $guest (instantiate $module (with "host" (instance $host))))
  (func $echo (param "text" string) (result string)
    (canon lift (core func $guest "echo") (memory (core memory $guest "memory")) (realloc (core func $guest "realloc"))))
  (func $sleep (param "millis" u64) (canon lift (core func $guest "sleep")))
  (instance $tools (export "echo" (func $echo)) (export "sleep" (func $sleep)))
  (export "bench:small/tools@1.0.0" (instance $tools)))
