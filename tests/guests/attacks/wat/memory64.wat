;; Has a memory with addresses of 64 bits.
(component
  (core module $m
    (memory i64 1)
    (func (export "attack") (result i32)
      (i32.wrap_i64 (memory.size))))
  (core instance $i (instantiate $m))
  (func $attack (result u32)
    (canon lift (core func $i "attack")))
  (instance $tools (export "attack" (func $attack)))
  (export "tests:attacks/tools@1.0.0" (instance $tools)))
