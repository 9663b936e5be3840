;; Has four memories in one module.
(component
  (core module $m
    (memory $a 256) (memory $b 256) (memory $c 256) (memory $d 256)
    (func (export "attack") (result i32)
      (i32.const 0)))
  (core instance $i (instantiate $m))
  (func $attack (result u32)
    (canon lift (core func $i "attack")))
  (instance $tools (export "attack" (func $attack)))
  (export "tests:attacks/tools@1.0.0" (instance $tools)))
