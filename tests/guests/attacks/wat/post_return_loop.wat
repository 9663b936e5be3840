;; Has answered, and never ends cleaning up.
(component
  (core module $m
    (func (export "attack") (result i32)
      (i32.const 0))
    (func (export "after") (param i32)
      (loop $for_ever (br $for_ever))))
  (core instance $i (instantiate $m))
  (func $attack (result u32)
    (canon lift (core func $i "attack") (post-return (core func $i "after"))))
  (instance $tools (export "attack" (func $attack)))
  (export "tests:attacks/tools@1.0.0" (instance $tools)))
