;; Grows a table by all there is at once, and needs what it asked for.
(component
  (core module $m
    (table $t 1 funcref)
    (func (export "attack") (result i32)
      (if (i32.eq (table.grow $t (ref.null func) (i32.const 0x7fffffff)) (i32.const -1))
        (then (unreachable)))
      (table.size $t)))
  (core instance $i (instantiate $m))
  (func $attack (result u32)
    (canon lift (core func $i "attack")))
  (instance $tools (export "attack" (func $attack)))
  (export "tests:attacks/tools@1.0.0" (instance $tools)))
