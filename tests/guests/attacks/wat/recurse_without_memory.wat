;; Calls itself without end, in the engine's stack alone.
(component
  (core module $m
    (func $down (param i64) (result i64)
      (i64.add (call $down (i64.add (local.get 0) (i64.const 1))) (i64.const 1)))
    (func (export "attack") (result i64)
      (call $down (i64.const 0))))
  (core instance $i (instantiate $m))
  (func $attack (result u64)
    (canon lift (core func $i "attack")))
  (instance $tools (export "attack" (func $attack)))
  (export "tests:attacks/tools@1.0.0" (instance $tools)))
