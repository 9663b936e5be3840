;; Waits for a handle that nobody gave it.
(component
  (import "wasi:io/poll@0.2.0" (instance $poll
    (export "pollable" (type $pollable (sub resource)))
    (export "[method]pollable.block" (func (param "self" (borrow $pollable))))))
  (alias export $poll "pollable" (type $pollable))
  (import "wasi:clocks/monotonic-clock@0.2.0" (instance $clock
    (alias outer 1 $pollable (type $outer))
    (export "pollable" (type $pollable (eq $outer)))
    (export "subscribe-duration" (func (param "when" u64) (result (own $pollable))))))
  (core func $block (canon lower (func $poll "[method]pollable.block")))
  (core func $timer (canon lower (func $clock "subscribe-duration")))
  (core func $drop (canon resource.drop $pollable))
  (core module $m
    (import "host" "block" (func $block (param i32)))
    (import "host" "timer" (func $timer (param i64) (result i32)))
    (import "host" "drop" (func $drop (param i32)))
    (func (export "attack") (result i32)
      (call $block (i32.const 42))
      (i32.const 0)))
  (core instance $i (instantiate $m (with "host" (instance
    (export "block" (func $block))
    (export "timer" (func $timer))
    (export "drop" (func $drop))))))
  (func $attack (result u32)
    (canon lift (core func $i "attack")))
  (instance $tools (export "attack" (func $attack)))
  (export "tests:attacks/tools@1.0.0" (instance $tools)))
