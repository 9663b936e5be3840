;; Answers a string of 4 GiB.
(component
  (core module $m
    (memory (export "memory") 1)
    (func (export "attack") (result i32)
      (i32.store (i32.const 0) (i32.const 0))
      (i32.store (i32.const 4) (i32.const -1))
      (i32.const 0)))
  (core instance $i (instantiate $m))
  (func $attack (result string)
    (canon lift (core func $i "attack") (memory (core memory $i "memory"))))
  (instance $tools (export "attack" (func $attack)))
  (export "tests:attacks/tools@1.0.0" (instance $tools)))
