;; Throws an exception, which would need an engine that catches it.
(component
  (core module $m
    (tag $oops)
    (func (export "attack") (result i32)
      (throw $oops)))
  (core instance $i (instantiate $m))
  (func $attack (result u32)
    (canon lift (core func $i "attack")))
  (instance $tools (export "attack" (func $attack)))
  (export "tests:attacks/tools@1.0.0" (instance $tools)))
