;; Has four modules with 16 MiB of memory each, as soon as it begins.
(component
  (core module $m
    (memory 256)
    (func (export "attack") (result i32)
      (memory.size)))
  (core instance $i0 (instantiate $m))
  (core instance $i1 (instantiate $m))
  (core instance $i2 (instantiate $m))
  (core instance $i3 (instantiate $m))
  (func $attack (result u32)
    (canon lift (core func $i0 "attack")))
  (instance $tools (export "attack" (func $attack)))
  (export "tests:attacks/tools@1.0.0" (instance $tools)))
