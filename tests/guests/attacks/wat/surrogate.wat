;; Answers half of a pair of surrogates as a character.
(component
  (core module $m
    (memory (export "memory") 1)
    (func (export "attack") (result i32)
      (i32.const 0xd800)))
  (core instance $i (instantiate $m))
  (func $attack (result char)
    (canon lift (core func $i "attack") (memory (core memory $i "memory"))))
  (instance $tools (export "attack" (func $attack)))
  (export "tests:attacks/tools@1.0.0" (instance $tools)))
