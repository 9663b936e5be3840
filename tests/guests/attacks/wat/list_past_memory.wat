;; Answers a list whose size in bytes is larger than any number.
(component
  (core module $m
    (memory (export "memory") 1)
    (func (export "attack") (result i32)
      (i32.store (i32.const 0) (i32.const 0))
      (i32.store (i32.const 4) (i32.const -1))
      (i32.const 0)))
  (core instance $i (instantiate $m))
  (func $attack (result (list (tuple u64 u64)))
    (canon lift (core func $i "attack") (memory (core memory $i "memory"))))
  (instance $tools (export "attack" (func $attack)))
  (export "tests:attacks/tools@1.0.0" (instance $tools)))
