;; Has a memory that threads share, which would need threads.
(component
  (core module $m
    (memory 1 1 shared)
    (func (export "attack") (result i32)
      (memory.size)))
  (core instance $i (instantiate $m))
  (func $attack (result u32)
    (canon lift (core func $i "attack")))
  (instance $tools (export "attack" (func $attack)))
  (export "tests:attacks/tools@1.0.0" (instance $tools)))
