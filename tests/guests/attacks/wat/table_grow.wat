;; Grows a table until it is told no, and answers how long it became.
(component
  (core module $m
    (table $t 1 funcref)
    (func (export "attack") (result i32)
      (loop $more
        (br_if $more (i32.ne (table.grow $t (ref.null func) (i32.const 1000)) (i32.const -1))))
      (table.size $t)))
  (core instance $i (instantiate $m))
  (func $attack (result u32)
    (canon lift (core func $i "attack")))
  (instance $tools (export "attack" (func $attack)))
  (export "tests:attacks/tools@1.0.0" (instance $tools)))
