;; Has values that the engine would have to collect.
(component
  (core module $m
    (type $pair (struct (field i32) (field i32)))
    (func (export "attack") (result i32)
      (struct.get $pair 0 (struct.new $pair (i32.const 1) (i32.const 2)))))
  (core instance $i (instantiate $m))
  (func $attack (result u32)
    (canon lift (core func $i "attack")))
  (instance $tools (export "attack" (func $attack)))
  (export "tests:attacks/tools@1.0.0" (instance $tools)))
