;; Never gets beyond its start.
(component
  (core module $m
    (func $start
      (loop $for_ever (br $for_ever)))
    (start $start)
    (func (export "attack") (result i32)
      (i32.const 0)))
  (core instance $i (instantiate $m))
  (func $attack (result u32)
    (canon lift (core func $i "attack")))
  (instance $tools (export "attack" (func $attack)))
  (export "tests:attacks/tools@1.0.0" (instance $tools)))
