;; Answers a list of twelve million small numbers: fewer bytes than any limit, and far more as values of the host.
(component
  (core module $m
    (memory (export "memory") 400)
    (func (export "attack") (result i32)
      (i32.store (i32.const 0) (i32.const 16))
      (i32.store (i32.const 4) (i32.const 12000000))
      (i32.const 0)))
  (core instance $i (instantiate $m))
  (func $attack (result (list u8))
    (canon lift (core func $i "attack") (memory (core memory $i "memory"))))
  (instance $tools (export "attack" (func $attack)))
  (export "tests:attacks/tools@1.0.0" (instance $tools)))
