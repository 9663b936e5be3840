;; Has a memory of 4 GiB as soon as it begins.
(component
  (core module $m
    (memory 65536)
    (func (export "attack") (result i32)
      (memory.size)))
  (core instance $i (instantiate $m))
  (func $attack (result u32)
    (canon lift (core func $i "attack")))
  (instance $tools (export "attack" (func $attack)))
  (export "tests:attacks/tools@1.0.0" (instance $tools)))
