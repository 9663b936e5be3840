;; Has a table of a hundred million entries as soon as it begins.
(component
  (core module $m
    (table $t 100000000 funcref)
    (func (export "attack") (result i32)
      (table.size $t)))
  (core instance $i (instantiate $m))
  (func $attack (result u32)
    (canon lift (core func $i "attack")))
  (instance $tools (export "attack" (func $attack)))
  (export "tests:attacks/tools@1.0.0" (instance $tools)))
